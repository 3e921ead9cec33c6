/** Calls under way. One whose request was cut off never says that it is over: it is, once its deadline has passed. */
export class InFlight {
  readonly #untilMs = new Map<number, number>();
  #next = 0;

  begin(deadlineMs: number): number {
    this.#untilMs.set(++this.#next, deadlineMs);
    return this.#next;
  }

  end(id: number): void {
    this.#untilMs.delete(id);
  }

  /** How many there are, once there are so many that it matters without those that are past their deadline. */
  count(nowMs: number, max: number): number {
    if (this.#untilMs.size >= max) {
      for (const [id, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(id);
    }
    return this.#untilMs.size;
  }
}
