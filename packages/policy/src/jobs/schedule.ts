import { type ErrorCode, errors, isErrorCode } from "@ledge/contract";

/** Whether a call may be done later, and when: docs/decisions/0017-jobs.md. */

/** Nobody was there to answer, or not in time. What is wrong with the call or its caller would be wrong later too; who was limited is told when to come back. */
const passing: ReadonlySet<ErrorCode> = new Set([
  "overloaded",
  "origin_unavailable",
  "model_not_ready",
  "upstream_failed",
  "deadline_exceeded",
]);

/** Whether a call that ended so can be answered by doing it later. */
export function mayBecomeJob(code: ErrorCode): boolean {
  return passing.has(code);
}

/** How a run went; a `code` that is not of the table counts as one that may pass. */
export interface RunOutcome {
  /** Absent: it was answered. */
  readonly code?: string;
  /** What the refusal said of coming back, milliseconds. */
  readonly retryAfterMs?: number;
}

/** What was tried of a job so far. */
export interface JobHistory {
  /** Runs begun, this one included. */
  readonly attempts: number;
  /** Runs at which its engine, or Ledge, broke. */
  readonly breaks: number;
}

export type JobStep =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly code: string }
  | { readonly kind: "again"; readonly code: string; readonly breaks: number; readonly delayMs: number };

/** An engine that breaks at one job so often is not given it any more: nineteen waits are some fifty minutes. */
export const breaksMax = 20;
const breaking: ReadonlySet<string> = new Set<ErrorCode>(["upstream_failed", "deadline_exceeded", "internal_error"]);

/** What becomes of a job after a run. `random` in [0, 1). */
export function afterRun({ attempts, breaks }: JobHistory, outcome: RunOutcome, random: number): JobStep {
  const { code } = outcome;
  if (code === undefined) return { kind: "succeeded" };
  const broken = breaks + (breaking.has(code) ? 1 : 0);
  const passes = !isErrorCode(code) || errors[code].retryable;
  if (!passes || broken >= breaksMax) return { kind: "failed", code };
  return { kind: "again", code, breaks: broken, delayMs: runDelayMs(attempts, outcome.retryAfterMs, random) };
}

const delayMsFirst = 1_000;
const delayMsMax = 300_000;

/**
 * How long to wait after `attempts` runs that were refused: exponential backoff with full jitter, from one second to five minutes,
 * and never less than the refusal asked for.
 */
export function runDelayMs(attempts: number, retryAfterMs = 0, random: number): number {
  const ceiling = Math.min(delayMsMax, delayMsFirst * 2 ** Math.min(attempts, 30));
  return Math.max(retryAfterMs, Math.floor(random * ceiling));
}
