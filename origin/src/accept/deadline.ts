import { fail, headers, ok, type Result } from "@ledge/contract";
import { timeLeftMs } from "@ledge/policy/origins";
import type { CallOff } from "../call-off.ts";

/**
 * Milliseconds this request may take: `Ledge-Timeout-Ms`, relative so that clocks need not agree, capped by the
 * deployment; without the header the deployment's default. Fails with `invalid_header`.
 */
export function timeoutOf(header: string | null, defaultMs: number, maxMs: number): Result<number> {
  if (header === null) return ok(Math.min(defaultMs, maxMs));
  if (!/^[1-9][0-9]{0,8}$/.test(header)) {
    return fail("invalid_header", {
      issues: [{ path: headers.timeoutMs, message: "Expected whole milliseconds, 1 to 999999999." }],
    });
  }
  return ok(Math.min(Number(header), maxMs));
}

/**
 * The same once it has arrived: a queue on the way, or a process that was stopped, may have kept the request until nobody waits
 * any more (`Ledge-Deadline`). Fails with `invalid_header` or `deadline_exceeded`.
 */
export function timeLeft(
  named: (name: string) => string | null,
  { timeoutMs, timeoutMsMax }: { readonly timeoutMs: number; readonly timeoutMsMax: number },
  nowMs: number,
): Result<number> {
  const timeout = timeoutOf(named(headers.timeoutMs), timeoutMs, timeoutMsMax);
  if (!timeout.ok) return timeout;
  const leftMs = timeLeftMs(timeout.value, named(headers.deadline), nowMs);
  return leftMs > 0 ? ok(leftMs) : fail("deadline_exceeded");
}

/** The requests that run: what all of them hear of when the process has to end. */
export class Running {
  readonly #deadlines = new Set<Deadline>();
  #draining = false;

  /** Calls off whoever runs, and whoever comes. */
  drain(): void {
    this.#draining = true;
    for (const deadline of this.#deadlines) deadline.callOff("draining");
  }

  add(deadline: Deadline): void {
    this.#deadlines.add(deadline);
    if (this.#draining) deadline.callOff("draining");
  }

  delete(deadline: Deadline): void {
    this.#deadlines.delete(deadline);
  }
}

/** One signal for everything that can end a request early, and its one timer. */
export class Deadline {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #running: Running;
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number, running: Running) {
    this.signal = this.#controller.signal;
    this.#timer = setTimeout(callOffLate, timeoutMs, this);
    this.#running = running;
    running.add(this);
  }

  callOff(reason: CallOff): void {
    this.clear();
    if (!this.signal.aborted) this.#controller.abort(reason);
  }

  /** Call it when the answer is out: the timer and those that run would keep the request in memory. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#running.delete(this);
  }
}

function callOffLate(deadline: Deadline): void {
  deadline.callOff("deadline");
}
