import type { ArmTally, Canary } from "@ledge/contract";
import { emptyArmTally, latencyQuantileMs, sinceArmTally, slowerThan } from "../tally.ts";
import type { Counted } from "./rate-bounds.ts";

/** What a canary is judged by. Each is a yes or no per call, so one rule judges them all. */
export const criterionNames = ["error", "slow", "unsure", "disliked"] as const;
export type CriterionName = (typeof criterionNames)[number];

export interface Criterion {
  readonly name: CriterionName;
  /** How much worse the candidate may be, as a share of calls. */
  readonly tolerance: number;
  readonly stable: Counted;
  readonly candidate: Counted;
}

type Arms = Readonly<Record<string, ArmTally>>;

/** What the controller remembers of a canary between two looks. Plain data. */
export interface CanaryWatch {
  readonly id: string;
  readonly step: number;
  /** The arms' tallies when the step began: only what came since is compared, so that a rate that drifts over the day is not taken for a difference. */
  readonly from: Arms;
  /** What the stable version did in the step before this one. */
  readonly before: ArmTally;
  /** The bound of "slow" that was learned from the stable version because the limits name none, milliseconds. */
  readonly slowMs?: number;
}

/** Calls of the stable version from which its 95th percentile is taken. */
export const slowLearnedFrom = 100;

/** The watch brought up to date with the canary and its arms' tallies: each step is counted from where the one before ended. */
export function watchCanary(canary: Canary, arms: Arms, watch: CanaryWatch | undefined): CanaryWatch {
  const stable = canary.arms[0].version;
  const { id, step } = canary;
  const same = watch?.id === id ? watch : { id, step, from: {}, before: emptyArmTally };
  const kept = same.step === step ? same : { ...same, step, from: arms, before: since(same, arms, stable) };
  if (canary.limits.slowMs !== undefined || kept.slowMs !== undefined) return kept;
  const slowMs = learnSlowMs(arms[stable] ?? emptyArmTally);
  return slowMs === undefined ? kept : { ...kept, slowMs };
}

/** The stable version's 95th percentile, so that about 5 % of its own calls are slow; `undefined` before it had enough calls. */
export function learnSlowMs({ latency }: ArmTally): number | undefined {
  const calls = latency.reduce((sum, count) => sum + count, 0);
  return calls < slowLearnedFrom ? undefined : latencyQuantileMs(latency, 0.95);
}

/**
 * The four criteria's counts in the running step; `watch` must be that of {@link watchCanary}. At the last step, where the stable
 * version has no share any more, the candidate is compared with what that one did in the step before.
 */
export function criteriaOf(canary: Canary, arms: Arms, watch: CanaryWatch): readonly Criterion[] {
  const [stableArm, candidateArm] = canary.arms;
  const stable = stableArm.weight === 0 ? watch.before : since(watch, arms, stableArm.version);
  const candidate = since(watch, arms, candidateArm.version);
  return criterionNames.map((name) => ({
    name,
    tolerance: canary.limits[`${name}Tolerance`],
    stable: countedOf(name, stable, watch),
    candidate: countedOf(name, candidate, watch),
  }));
}

function since({ from }: CanaryWatch, arms: Arms, version: string): ArmTally {
  return sinceArmTally(arms[version] ?? emptyArmTally, from[version] ?? emptyArmTally);
}

function countedOf(name: CriterionName, arm: ArmTally, { slowMs }: CanaryWatch): Counted {
  const answered = arm.calls - arm.errors;
  switch (name) {
    case "error":
      return { bad: arm.errors, of: arm.calls };
    case "slow":
      return { bad: slowMs === undefined ? arm.slow : slowerThan(arm.latency, slowMs), of: answered };
    case "unsure":
      return { bad: arm.unsure, of: arm.scored };
    case "disliked":
      return { bad: arm.disliked, of: arm.rated };
  }
}
