interface Timer {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Time that passes only when it is told to. Timers fire in their order, and between two moments everything runs to its end that
 * waits for no timer: the same seed gives the same run, however busy the machine is.
 */
export class VirtualTime {
  /** Milliseconds since 1970. */
  nowMs = 1_700_000_000_000;
  #order = 0;
  /** A heap: the next one first. */
  readonly #timers: Timer[] = [];

  /** As the global of that name. */
  readonly setTimeout = (run: () => void, ms = 0): Timer => {
    const timer = { atMs: this.nowMs + Math.max(0, Math.ceil(ms)), order: this.#order++, run };
    this.#push(timer);
    return timer;
  };

  readonly clearTimeout = (timer: Timer | null | undefined): void => {
    if (timer) timer.run = undefined;
  };

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.setTimeout(resolve, ms));
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await settled();
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#pop();
      this.nowMs = next.atMs;
      next.run?.();
      if (this.#next()?.atMs !== this.nowMs) await settled();
    }
    this.nowMs = untilMs;
    await settled();
  }

  /** The next timer that still stands. */
  #next(): Timer | undefined {
    for (let next = this.#timers[0]; next !== undefined; next = this.#timers[0]) {
      if (next.run !== undefined) return next;
      this.#pop();
    }
    return undefined;
  }

  #push(timer: Timer): void {
    const timers = this.#timers;
    let at = timers.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = timers[above];
      if (parent === undefined || before(parent, timer)) break;
      timers[at] = parent;
      at = above;
    }
    timers[at] = timer;
  }

  #pop(): void {
    const timers = this.#timers;
    const last = timers.pop();
    if (last === undefined || timers.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [timers[left], timers[left + 1]];
      if (a === undefined) break;
      const [child, down] = b !== undefined && before(b, a) ? [b, left + 1] : [a, left];
      if (before(last, child)) break;
      timers[at] = child;
      at = down;
    }
    timers[at] = last;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

const turn = setImmediate;

/** Everything has run that waits for no timer: promises go before the event loop's next turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => void turn(resolve));
}
