/**
 * Finds stop strings in text that comes in pieces. What could still become a stop string is held back, so that no part
 * of one is ever emitted; the earliest match wins.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = "";
  #matched = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** True once a stop string was seen; nothing is emitted from then on. */
  get matched(): boolean {
    return this.#matched;
  }

  /** Takes the next piece and returns what may be emitted now. */
  push(piece: string): string {
    if (this.#matched) return "";
    const text = this.#held + piece;
    const at = this.#earliest(text);
    if (at !== -1) {
      this.#matched = true;
      this.#held = "";
      return text.slice(0, at);
    }
    const keep = this.#couldBegin(text);
    this.#held = text.slice(text.length - keep);
    return text.slice(0, text.length - keep);
  }

  /** The text has ended: what was held back is no stop string after all. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  #earliest(text: string): number {
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
    return found.length === 0 ? -1 : Math.min(...found);
  }

  /** Length of the longest end of `text` that is the beginning of a stop string. */
  #couldBegin(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
