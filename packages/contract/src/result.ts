import type { ErrorCode } from "./errors.ts";

/** One fault in the input: where (a JSON path such as `messages[0].role`) and what. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/**
 * An expected failure. Plain data, because it crosses RPC and HTTP: a thrown subclass would arrive as a bare `Error`.
 * `detail` is public; `cause` is for the log only and must be stripped before anything leaves the process.
 */
export interface Fault {
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly issues?: readonly Issue[];
  /** When retrying makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** Of `model_not_ready`: the model is asleep and can be woken, which takes about so many milliseconds. */
  readonly wakingMs?: number;
  readonly cause?: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function fail(code: ErrorCode, more: Omit<Fault, "code"> = {}): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault: { code, ...more } };
}
