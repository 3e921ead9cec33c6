import type { ArmReport, ArmTally, Estimate, LatencyEstimate, Rollout, RolloutReport } from "@ledge/contract";
import { emptyArmTally, latencyQuantileMs } from "../tally.ts";
import { canaryStep, judgeCriteria } from "./canary.ts";
import { type CanaryWatch, watchCanary } from "./criteria.ts";

/** Of a normal distribution 95 % lie within so many standard deviations. */
const z95 = 1.959964;

/** How a rollout is doing. `arms` by version, `watch` what the controller remembers. */
export function reportRollout(
  model: string,
  rollout: Rollout,
  { arms, watch }: { readonly arms: Readonly<Record<string, ArmTally>>; readonly watch?: CanaryWatch | undefined },
  nowMs: number,
): RolloutReport {
  const reports = rollout.arms.map(({ version, weight }) =>
    reportArm(version, weight / 10_000, arms[version] ?? emptyArmTally),
  );
  if (rollout.kind !== "canary") return { model, rollout, arms: reports };
  const watched = watchCanary(rollout, arms, watch);
  const slowMs = rollout.limits.slowMs ?? watched.slowMs;
  return {
    model,
    rollout,
    arms: reports,
    criteria: [...judgeCriteria(rollout, arms, watched)],
    next: canaryStep(rollout, arms, watched, nowMs),
    ...(slowMs === undefined ? {} : { slowMs }),
  };
}

function reportArm(version: string, share: number, arm: ArmTally): ArmReport {
  const answered = arm.calls - arm.errors;
  return {
    version,
    share,
    calls: arm.calls,
    ...given("errors", estimateOf(arm.errors, arm.calls)),
    ...given("p50Ms", quantileOf(arm.latency, 0.5)),
    ...given("p95Ms", quantileOf(arm.latency, 0.95)),
    ...given("slow", estimateOf(arm.slow, answered)),
    ...given("confidence", estimateOf(arm.scoreSum, arm.scored)),
    ...given("unsure", estimateOf(arm.unsure, arm.scored)),
    ...given("agreement", estimateOf(arm.agreed, arm.compared)),
    skipped: arm.skipped,
    ...given("feedback", estimateOf(arm.ratingSum, arm.rated)),
    ...given("disliked", estimateOf(arm.disliked, arm.rated)),
  };
}

/**
 * The mean of values from 0 to 1 with Wilson's 95 % interval (1927). For yes and no that is what it is made for; other values of the
 * same mean vary less, so for them it is rather too wide. `undefined` without values.
 */
export function estimateOf(sum: number, of: number): Estimate | undefined {
  if (of <= 0) return undefined;
  const value = sum / of;
  const square = z95 * z95;
  const centre = (value + square / (2 * of)) / (1 + square / of);
  const half = (z95 / (1 + square / of)) * Math.sqrt((value * (1 - value)) / of + square / (4 * of * of));
  // At the ends centre and half cancel out, but for the rounding.
  const low = value === 0 ? 0 : Math.max(0, centre - half);
  const high = value === 1 ? 1 : Math.min(1, centre + half);
  return { value, low, high, of };
}

/** A quantile with the 95 % interval of its rank among the calls (order statistics, normal approximation of the binomial). */
function quantileOf(buckets: readonly number[], quantile: number): LatencyEstimate | undefined {
  const calls = buckets.reduce((sum, count) => sum + count, 0);
  const value = latencyQuantileMs(buckets, quantile);
  if (value === undefined) return undefined;
  const half = z95 * Math.sqrt((quantile * (1 - quantile)) / calls);
  const low = latencyQuantileMs(buckets, Math.max(1 / calls, quantile - half)) ?? value;
  const high = latencyQuantileMs(buckets, Math.min(1, quantile + half));
  return { value, low, ...given("high", high) };
}

function given<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}
