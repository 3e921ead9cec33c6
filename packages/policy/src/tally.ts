import { type ArmTally, type Duration, latencyBoundsMs, type ModelTally, type VersionTally } from "@ledge/contract";

/** Adding tallies up. Both kinds are sums all through, so it does not matter in which order or in how many steps. */

export const noTime: Duration = { count: 0, ns: 0 };

export const emptyVersionTally: VersionTally = {
  lastInferenceMs: 0,
  inferenceCount: 0,
  executionCount: 0,
  success: noTime,
  fail: noTime,
  queue: noTime,
  computeInput: noTime,
  computeInfer: noTime,
  computeOutput: noTime,
  cacheHit: noTime,
  cacheMiss: noTime,
  batches: {},
  failures: {},
  cache: {},
};

export const emptyArmTally: ArmTally = {
  calls: 0,
  errors: 0,
  slow: 0,
  scored: 0,
  unsure: 0,
  scoreSum: 0,
  rated: 0,
  disliked: 0,
  ratingSum: 0,
  compared: 0,
  agreed: 0,
  skipped: 0,
  latency: Array(latencyBoundsMs.length + 1).fill(0),
};

export const emptyModelTally: ModelTally = { versions: {}, arms: {} };

export function addDurations(a: Duration, b: Duration): Duration {
  return { count: a.count + b.count, ns: a.ns + b.ns };
}

export function addVersionTallies(a: VersionTally, b: VersionTally): VersionTally {
  return {
    lastInferenceMs: Math.max(a.lastInferenceMs, b.lastInferenceMs),
    inferenceCount: a.inferenceCount + b.inferenceCount,
    executionCount: a.executionCount + b.executionCount,
    success: addDurations(a.success, b.success),
    fail: addDurations(a.fail, b.fail),
    queue: addDurations(a.queue, b.queue),
    computeInput: addDurations(a.computeInput, b.computeInput),
    computeInfer: addDurations(a.computeInfer, b.computeInfer),
    computeOutput: addDurations(a.computeOutput, b.computeOutput),
    cacheHit: addDurations(a.cacheHit, b.cacheHit),
    cacheMiss: addDurations(a.cacheMiss, b.cacheMiss),
    batches: joined(a.batches, b.batches, (one, other) => ({
      computeInput: addDurations(one.computeInput, other.computeInput),
      computeInfer: addDurations(one.computeInfer, other.computeInfer),
      computeOutput: addDurations(one.computeOutput, other.computeOutput),
    })),
    failures: joined(a.failures, b.failures, (one, other) => one + other),
    // What was stored before this was counted has none.
    cache: joined(a.cache ?? {}, b.cache ?? {}, (one, other) => one + other),
  };
}

export function addArmTallies(a: ArmTally, b: ArmTally): ArmTally {
  return combined(a, b, (one, other) => one + other);
}

/** What was counted since `before`, an earlier reading of the same arm. */
export function sinceArmTally(now: ArmTally, before: ArmTally): ArmTally {
  return combined(now, before, (one, other) => one - other);
}

/** A tally of which only a share counts any more: see `faded`. */
export function scaleArmTally(arm: ArmTally, factor: number): ArmTally {
  return combined(arm, arm, (count) => count * factor);
}

/** Version by version and rollout by rollout. Errors: none; what only one side knows is taken as it is. */
export function addModelTallies(a: ModelTally, b: Pick<ModelTally, "versions" | "arms">): ModelTally {
  return {
    versions: joined(a.versions, b.versions, addVersionTallies),
    arms: joined(a.arms, b.arms, (one, other) => joined(one, other, addArmTallies)),
  };
}

/** Which bucket of `latencyBoundsMs` a latency falls into. */
export function latencyBucket(latencyMs: number): number {
  let low = 0;
  let high = latencyBoundsMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (latencyMs <= (latencyBoundsMs[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Upper bound of the bucket that holds the quantile (0 to 1), milliseconds; `undefined` without calls, and above the last bound.
 */
export function latencyQuantileMs(buckets: readonly number[], quantile: number): number | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let below = 0;
  const at = buckets.findIndex((count) => {
    below += count;
    return below >= quantile * total;
  });
  return latencyBoundsMs[at];
}

/** Calls slower than a bound. `boundMs` must be one of `latencyBoundsMs`. */
export function slowerThan(buckets: readonly number[], boundMs: number): number {
  return buckets.slice(latencyBucket(boundMs) + 1).reduce((sum, count) => sum + count, 0);
}

function combined(a: ArmTally, b: ArmTally, combine: (one: number, other: number) => number): ArmTally {
  return {
    calls: combine(a.calls, b.calls),
    errors: combine(a.errors, b.errors),
    slow: combine(a.slow, b.slow),
    scored: combine(a.scored, b.scored),
    unsure: combine(a.unsure, b.unsure),
    scoreSum: combine(a.scoreSum, b.scoreSum),
    rated: combine(a.rated, b.rated),
    disliked: combine(a.disliked, b.disliked),
    ratingSum: combine(a.ratingSum, b.ratingSum),
    compared: combine(a.compared, b.compared),
    agreed: combine(a.agreed, b.agreed),
    skipped: combine(a.skipped, b.skipped),
    latency: combinedCounts(a.latency, b.latency, combine),
  };
}

/** A plain loop: this runs on every call. */
function combinedCounts(a: readonly number[], b: readonly number[], combine: (one: number, other: number) => number) {
  const counts = a.slice();
  for (let bucket = 0; bucket < counts.length; bucket++) counts[bucket] = combine(a[bucket] ?? 0, b[bucket] ?? 0);
  return counts;
}

function joined<T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>, add: (one: T, other: T) => T) {
  const all: Record<string, T> = { ...a };
  for (const key of Object.keys(b)) {
    const [one, other] = [all[key], b[key]];
    if (other !== undefined) all[key] = one === undefined ? other : add(one, other);
  }
  return all;
}
