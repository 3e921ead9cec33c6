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
  named: Headers,
  { timeoutMs, timeoutMsMax }: { readonly timeoutMs: number; readonly timeoutMsMax: number },
  nowMs: number,
): Result<number> {
  const timeout = timeoutOf(named.get(headers.timeoutMs), timeoutMs, timeoutMsMax);
  if (!timeout.ok) return timeout;
  const leftMs = timeLeftMs(timeout.value, named.get(headers.deadline), nowMs);
  return leftMs > 0 ? ok(leftMs) : fail("deadline_exceeded");
}

/** One signal for everything that can end a request early, and its one timer. */
export class Deadline {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #undo: (() => void)[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number, client: AbortSignal, shutdown: AbortSignal) {
    this.signal = this.#controller.signal;
    this.#timer = setTimeout(() => this.callOff("deadline"), timeoutMs);
    this.#follow(client, "disconnected");
    this.#follow(shutdown, "draining");
  }

  callOff(reason: CallOff): void {
    this.clear();
    if (!this.signal.aborted) this.#controller.abort(reason);
  }

  /** Call it when the answer is out: the timer and the shutdown signal would keep the request in memory. */
  clear(): void {
    clearTimeout(this.#timer);
    for (const undo of this.#undo.splice(0)) undo();
  }

  /**
   * Listens until {@link clear}. Not with addEventListener's `signal` option: Node keeps such a listener for as long as
   * the source, and the source of a client's request is then never collected.
   */
  #follow(source: AbortSignal, reason: CallOff): void {
    if (source.aborted) this.callOff(reason);
    const listener = () => this.callOff(reason);
    source.addEventListener("abort", listener);
    this.#undo.push(() => source.removeEventListener("abort", listener));
  }
}
