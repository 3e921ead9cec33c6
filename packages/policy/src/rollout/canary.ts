import type { ArmTally, Canary, RegistryChange } from "@ledge/contract";
import { type CanaryWatch, type Criterion, criteriaOf } from "./criteria.ts";
import { lowerBound, type RateBounds, rateBounds, upperBound } from "./rate-bounds.ts";

/** What to do with a canary now, and why, in words for the audit. */
export interface CanaryVerdict {
  readonly kind: "wait" | "advance" | "promote" | "roll-back";
  readonly reason: string;
}

/** A criterion as far as it is known. `worse`: surely worse than tolerated. `in-doubt`: it looks so, and the step is held. */
export interface JudgedCriterion extends Criterion {
  readonly verdict: "fine" | "in-doubt" | "worse";
  readonly stableBounds: RateBounds;
  readonly candidateBounds: RateBounds;
}

/** With fewer of the candidate's calls a criterion holds no step: one bad rating would hold it until the next rating. */
const doubtFrom = 20;

/**
 * Decides a canary's next move; look as often as you like. docs/rollouts.md states the rule, why it is this one, and how often it errs.
 *
 * - Roll back as soon as the candidate's rate is surely worse than the stable one's by more than the tolerance: the lower
 *   bound of the one above the upper bound of the other plus the tolerance, both valid at every moment ({@link rateBounds}).
 *   The canary's `falseAlarm` is shared out evenly to the bounds of all criteria and steps.
 * - Otherwise go on to the next step when the candidate had `callsMin` calls in this one, it lasted `stepMsMin`, and no
 *   criterion is in doubt: its observed difference is within the tolerance. At the last step the stable version has no calls
 *   any more, so waiting would clear no doubt: there it is promoted unless something is surely worse.
 */
export function canaryStep(
  canary: Canary,
  arms: Readonly<Record<string, ArmTally>>,
  watch: CanaryWatch,
  nowMs: number,
): CanaryVerdict {
  const criteria = criteriaOf(canary, arms, watch);
  const miss = missOf(canary);
  const worse = criteria.find((criterion) => isWorse(criterion, miss));
  if (worse !== undefined) return { kind: "roll-back", reason: `${inWords(worse)}: surely worse than tolerated` };
  const had = criteria[0]?.candidate.of ?? 0;
  if (had < canary.callsMin) return wait(`for ${canary.callsMin - had} more calls of the candidate in this step`);
  const leftMs = canary.stepStartedAtMs + canary.stepMsMin - nowMs;
  if (leftMs > 0) return wait(`for ${Math.ceil(leftMs / 1000)} s more of this step`);
  const last = canary.step + 1 >= canary.steps.length;
  const doubtful = last ? undefined : criteria.find(isDoubtful);
  if (doubtful !== undefined) return wait(`${inWords(doubtful)}: worse than tolerated, not surely so`);
  const reason = `${had} calls of the candidate in step ${canary.step + 1} of ${canary.steps.length}, and nothing worse than tolerated`;
  return { kind: last ? "promote" : "advance", reason };
}

/** The change that carries a verdict out; `undefined` for waiting. The registry refuses it when the canary has moved on meanwhile. */
export function canaryChange(
  model: string,
  canary: Canary,
  { kind, reason }: CanaryVerdict,
): RegistryChange | undefined {
  const { id, step } = canary;
  switch (kind) {
    case "wait":
      return undefined;
    case "advance":
      return { kind: "advance-rollout", model, id, step: step + 1, reason };
    case "promote":
      return { kind: "end-rollout", model, id, outcome: "promoted", reason };
    case "roll-back":
      return { kind: "end-rollout", model, id, outcome: "rolled-back", reason };
  }
}

/** Each criterion with its bounds, for the operator. */
export function judgeCriteria(
  canary: Canary,
  arms: Readonly<Record<string, ArmTally>>,
  watch: CanaryWatch,
): readonly JudgedCriterion[] {
  const miss = missOf(canary);
  return criteriaOf(canary, arms, watch).map((criterion) => ({
    ...criterion,
    verdict: isWorse(criterion, miss) ? "worse" : isDoubtful(criterion) ? "in-doubt" : "fine",
    stableBounds: rateBounds(criterion.stable, miss),
    candidateBounds: rateBounds(criterion.candidate, miss),
  }));
}

/** Two bounds a criterion and step can miss the truth; together they do with at most `falseAlarm`. */
function missOf({ falseAlarm, steps }: Canary): number {
  return falseAlarm / (2 * 4 * steps.length);
}

/** Bounds lie outside the observed rates, so nothing is sure that was not observed: that spares working them out. */
function isWorse(criterion: Criterion, miss: number): boolean {
  const { stable, candidate, tolerance } = criterion;
  return observedMore(criterion) > tolerance && lowerBound(candidate, miss) - upperBound(stable, miss) > tolerance;
}

function isDoubtful(criterion: Criterion): boolean {
  return criterion.candidate.of >= doubtFrom && observedMore(criterion) > criterion.tolerance;
}

/** How much worse the candidate looks, as a share of calls; nothing while one of the two has no calls. */
function observedMore({ stable, candidate }: Criterion): number {
  return stable.of === 0 || candidate.of === 0 ? 0 : candidate.bad / candidate.of - stable.bad / stable.of;
}

function wait(reason: string): CanaryVerdict {
  return { kind: "wait", reason };
}

function inWords({ name, stable, candidate, tolerance }: Criterion): string {
  const said = (counted: Criterion["stable"]) => `${percent(counted.bad / counted.of)} of ${counted.of}`;
  return `${name}: ${said(candidate)}, stable ${said(stable)}, tolerated ${percent(tolerance)} more`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
