/**
 * Nonces that were used, for as long as their time is taken: the same request twice is refused the second time. Bounded; when it is
 * full of nonces that still count, it takes no more.
 */
export class Nonces {
  readonly #untilMs = new Map<string, number>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** `used` when it was there already. They come about in the order of their times, so the oldest are dropped first. */
  take(nonce: string, untilMs: number, nowMs: number): "taken" | "used" | "full" {
    for (const [known, knownUntilMs] of this.#untilMs) {
      if (knownUntilMs >= nowMs) break;
      this.#untilMs.delete(known);
    }
    if (this.#untilMs.has(nonce)) return "used";
    if (this.#untilMs.size >= this.#max) return "full";
    this.#untilMs.set(nonce, untilMs);
    return "taken";
  }
}
