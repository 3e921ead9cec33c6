import {
  type ArmTally,
  type Duration,
  type ErrorCode,
  errors,
  latencyBoundsMs,
  type PredictAnswer,
  type RolloutLimits,
  type RunTimings,
  type VersionTally,
} from "@ledge/contract";
import { emptyArmTally, emptyVersionTally, latencyBucket, noTime } from "./tally.ts";

/** How one call to a version ended. */
export interface CallOutcome {
  /** When, milliseconds since 1970, and how long it took in all, milliseconds. */
  readonly endedMs: number;
  readonly latencyMs: number;
  /** Absent when it was answered; `canceled` when its caller left before it was. */
  readonly code?: ErrorCode | "canceled";
  /** Absent when the cache was not asked. */
  readonly cache?: "hit" | "miss";
  /** What the answer cache did, as `cacheEvents` names it. */
  readonly cacheEvents?: readonly string[];
  /** How asking failed when a stale answer stood in. */
  readonly hidden?: ErrorCode;
  /** What a tier did; absent when none answered. */
  readonly work?: Work;
}

export interface Work {
  /** Inputs of the call. */
  readonly rows: number;
  /** Absent for a chat, whose engine tells none. */
  readonly timings?: RunTimings;
  /** Mean best score of the answers, 0 to 1; absent for what has no score. */
  readonly confidence?: number;
}

/** What a tier did for an answer of so many predictions. */
export function workOf({ predictions, timings }: PredictAnswer): Work {
  const scores = predictions.flatMap(({ score }) => score ?? []);
  const confidence = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return { rows: predictions.length, timings, ...(scores.length === 0 ? {} : { confidence }) };
}

/** One call as Triton counts it: cache hits are successes, but neither inferences nor executions. */
export function versionTallyOf(outcome: CallOutcome): VersionTally {
  const { endedMs, latencyMs, code, cache, work } = outcome;
  const whole = once(latencyMs);
  const empty = { ...emptyVersionTally, cache: cacheTally(outcome.cacheEvents ?? []) };
  if (code !== undefined) return { ...empty, fail: whole, failures: { [failureReason(code)]: 1 } };
  const answered = { ...empty, lastInferenceMs: endedMs, success: whole };
  if (cache === "hit") return { ...answered, queue: once(0), cacheHit: whole };
  const missed = cache === "miss" ? { ...answered, cacheMiss: once(0) } : answered;
  if (work === undefined) return missed;
  const timings = work.timings ?? {
    queueMs: 0,
    prepareMs: 0,
    runMs: latencyMs,
    shapeMs: 0,
    batchRows: 1,
    executions: 1,
  };
  const run = {
    computeInput: once(timings.prepareMs),
    computeInfer: once(timings.runMs),
    computeOutput: once(timings.shapeMs),
  };
  return {
    ...missed,
    ...run,
    inferenceCount: work.rows,
    executionCount: timings.executions,
    queue: once(timings.queueMs),
    batches: timings.executions === 0 ? {} : { [timings.batchRows]: run },
  };
}

/** Events of the answer cache as a version counts them. */
export function cacheTally(events: readonly string[]): VersionTally["cache"] {
  return Object.fromEntries(events.map((event) => [event, 1]));
}

/**
 * One call as an arm of a rollout counts it. `undefined` for what says nothing of the version: an answer from the cache, and
 * what the caller did wrong. A failure that a stale answer hid is one all the same. Without `limits` no call is slow or unsure.
 */
export function armTallyOf(outcome: CallOutcome, limits?: RolloutLimits): ArmTally | undefined {
  const { cache, latencyMs, work } = outcome;
  const code = outcome.code ?? outcome.hidden;
  if ((cache === "hit" && code === undefined) || code === "canceled") return undefined;
  if (code !== undefined)
    return errors[code].owner === "client" ? undefined : { ...emptyArmTally, calls: 1, errors: 1 };
  const confidence = work?.confidence;
  const latency = Array<number>(latencyBoundsMs.length + 1).fill(0);
  latency[latencyBucket(latencyMs)] = 1;
  return {
    ...emptyArmTally,
    calls: 1,
    slow: Number(limits?.slowMs !== undefined && latencyMs > limits.slowMs),
    scored: Number(confidence !== undefined),
    unsure: Number(limits !== undefined && confidence !== undefined && confidence < limits.unsureBelow),
    scoreSum: confidence ?? 0,
    latency,
  };
}

/** What became of a shadow's copy of a call. */
export type CopyOutcome =
  | { readonly kind: "answered"; readonly latencyMs: number; readonly work?: Work; readonly agreed?: boolean }
  | { readonly kind: "failed"; readonly latencyMs: number; readonly code: ErrorCode }
  | { readonly kind: "skipped" };

/** One copy as the shadow's arm counts it; `agreed` is absent for what is not compared. */
export function copyTallyOf(copy: CopyOutcome, limits: RolloutLimits): ArmTally | undefined {
  if (copy.kind === "skipped") return { ...emptyArmTally, skipped: 1 };
  const counted = armTallyOf({ endedMs: 0, ...copy }, limits);
  if (counted === undefined || copy.kind === "failed" || copy.agreed === undefined) return counted;
  return { ...counted, compared: 1, agreed: Number(copy.agreed) };
}

/** Below this a rating says that the answer was bad. */
const dislikedBelow = 0.5;

/** One rating, 0 to 1, as an arm counts it. */
export function ratingTallyOf(score: number): ArmTally {
  return { ...emptyArmTally, rated: 1, disliked: Number(score < dislikedBelow), ratingSum: score };
}

function once(ms: number): Duration {
  return ms === 0 ? { ...noTime, count: 1 } : { count: 1, ns: Math.round(ms * 1e6) };
}

/** Triton's reasons: REJECTED never ran, BACKEND ran and failed, CANCELED was called off, OTHER is the rest. */
function failureReason(code: ErrorCode | "canceled"): "REJECTED" | "CANCELED" | "BACKEND" | "OTHER" {
  switch (code) {
    case "overloaded":
    case "model_not_ready":
      return "REJECTED";
    case "upstream_failed":
    case "origin_unavailable":
      return "BACKEND";
    case "deadline_exceeded":
    case "canceled":
      return "CANCELED";
    default:
      return "OTHER";
  }
}
