import type { ErrorCode, Result } from "@ledge/contract";

export interface ShadowsDeps {
  /** Copies under way at once in this isolate: beyond, the caller's own work would wait for them. */
  readonly inFlightMax: number;
  /** How long a copy may take, milliseconds. */
  readonly timeoutMs: number;
  readonly nowMs: () => number;
}

/** What became of a copy. */
export type Copy<T> =
  | { readonly kind: "answered"; readonly value: T; readonly latencyMs: number }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly latencyMs: number }
  | { readonly kind: "skipped" };

/** Copies of calls for a shadow version: off the request path, bounded, with a deadline of their own. */
export class Shadows {
  readonly #deps: ShadowsDeps;
  /** When each copy under way must be over. One whose request was cut off never says so. */
  #deadlinesMs: number[] = [];

  constructor(deps: ShadowsDeps) {
    this.#deps = deps;
  }

  /** Never throws. `ask` gets the copy's deadline, milliseconds since 1970. */
  async copy<T>(ask: (deadlineMs: number) => Promise<Result<T>>): Promise<Copy<T>> {
    const { inFlightMax, timeoutMs, nowMs } = this.#deps;
    const startedMs = nowMs();
    this.#deadlinesMs = this.#deadlinesMs.filter((deadlineMs) => deadlineMs > startedMs);
    if (this.#deadlinesMs.length >= inFlightMax) return { kind: "skipped" };
    const deadlineMs = startedMs + timeoutMs;
    this.#deadlinesMs.push(deadlineMs);
    try {
      const answer = await ask(deadlineMs);
      const latencyMs = nowMs() - startedMs;
      return answer.ok
        ? { kind: "answered", value: answer.value, latencyMs }
        : { kind: "failed", code: answer.fault.code, latencyMs };
    } catch {
      return { kind: "failed", code: "internal_error", latencyMs: nowMs() - startedMs };
    } finally {
      const at = this.#deadlinesMs.indexOf(deadlineMs);
      if (at >= 0) this.#deadlinesMs.splice(at, 1);
    }
  }
}
