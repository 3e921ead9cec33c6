interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

/** Virtual time: what is to happen, in order. Two things at the same moment happen in the order in which they were planned. */
export class Events {
  nowMs = 0;
  readonly #heap: Event[] = [];
  #planned = 0;

  in(ms: number, happen: () => void): void {
    this.#push({ atMs: this.nowMs + Math.max(0, ms), order: this.#planned++, happen });
  }

  /** Until nothing is planned before `untilMs`. */
  run(untilMs: number): void {
    for (;;) {
      const [next] = this.#heap;
      if (next === undefined || next.atMs > untilMs) return;
      this.#pop();
      this.nowMs = next.atMs;
      next.happen();
    }
  }

  #before(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return one !== undefined;
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }

  #push(event: Event): void {
    this.#heap.push(event);
    let at = this.#heap.length - 1;
    while (at > 0 && this.#before(at, (at - 1) >> 1)) {
      this.#swap(at, (at - 1) >> 1);
      at = (at - 1) >> 1;
    }
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = at;
      if (this.#before(left, first) && left < this.#heap.length) first = left;
      if (this.#before(right, first) && right < this.#heap.length) first = right;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }
}
