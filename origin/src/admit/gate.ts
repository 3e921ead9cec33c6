import { fail, ok, type Result } from "@ledge/contract";
import { faultOfCallOff } from "../call-off.ts";

export interface GateLimits {
  /** Calls an engine works on at once. */
  readonly runningMax: number;
  /** Calls that may wait for it. */
  readonly waitingMax: number;
}

/** The right to use an engine. */
export interface Permit {
  /** Milliseconds the call waited for it. */
  readonly queuedMs: number;
  /** Gives it back; giving back twice counts once. */
  leave(): void;
}

interface Waiter {
  admit(): void;
}

/** Weight of the newest call in the mean time a call holds its slot: about the last ten calls count. */
const holdWeight = 0.1;
/** The guess before the first call has ended. */
const holdMsFirst = 1000;

/** A bounded door before one engine: some run, some wait in order, the rest is refused with a time to come back. */
export class Gate {
  readonly #limits: GateLimits;
  readonly #nowMs: () => number;
  readonly #waiters = new Set<Waiter>();
  readonly #idlers: (() => void)[] = [];
  #running = 0;
  #holdMs = holdMsFirst;

  constructor(limits: GateLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Fails with `overloaded`, or with the reason of the signal when it fires while the call waits. */
  async enter(signal: AbortSignal): Promise<Result<Permit>> {
    if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
    const arrivedMs = this.#nowMs();
    if (this.#running < this.#limits.runningMax) {
      this.#running++;
      return ok(this.#permit(arrivedMs));
    }
    if (this.#waiters.size >= this.#limits.waitingMax)
      return fail("overloaded", { retryAfterMs: this.#retryAfterMs() });
    return this.#wait(signal, arrivedMs);
  }

  /** Resolves once nobody runs and nobody waits. Whoever comes later is not waited for. */
  async whenIdle(): Promise<void> {
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => this.#idlers.push(resolve));
  }

  #wait(signal: AbortSignal, arrivedMs: number): Promise<Result<Permit>> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener("abort", giveUp);
          resolve(ok(this.#permit(arrivedMs)));
        },
      };
      const giveUp = () => {
        this.#waiters.delete(waiter);
        resolve({ ok: false, fault: faultOfCallOff(signal) });
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** The slot passes straight to the next in line, so a newcomer can't overtake between leave and enter. */
  #permit(arrivedMs: number): Permit {
    const startedMs = this.#nowMs();
    let held = true;
    return {
      queuedMs: startedMs - arrivedMs,
      leave: () => {
        if (!held) return;
        held = false;
        this.#holdMs += holdWeight * (this.#nowMs() - startedMs - this.#holdMs);
        const [next] = this.#waiters;
        if (next === undefined) {
          this.#running--;
          if (this.#running === 0) for (const tell of this.#idlers.splice(0)) tell();
        } else {
          this.#waiters.delete(next);
          next.admit();
        }
      },
    };
  }

  /** When everybody ahead is served, if calls keep taking as long as they did lately. */
  #retryAfterMs(): number {
    return Math.ceil(((this.#waiters.size + 1) * this.#holdMs) / this.#limits.runningMax);
  }
}
