import type { ArmTally, Canary } from "@ledge/contract";
import { addArmTallies, type CanaryWatch, canaryStep, chooseArm, emptyArmTally, watchCanary } from "@ledge/policy";
import { binomial, type Random } from "./random.ts";

/** Chances per call that it is bad, criterion by criterion, and that it is rated at all. */
export interface Rates {
  readonly error: number;
  readonly slow: number;
  readonly unsure: number;
  readonly disliked: number;
  readonly rated: number;
}

export interface World {
  readonly canary: Canary;
  readonly stable: Rates;
  readonly candidate: Rates;
  /** Mean calls of both arms between two looks. */
  readonly callsPerLook: number;
  readonly looksMax: number;
  /** Factor on all rates of both arms at a look: how the day goes. Default: always 1. */
  readonly drift?: (look: number) => number;
  /** Who calls. Default: so many that no two calls are of the same caller. */
  readonly callers?: readonly Caller[];
}

/** A caller stays with its arm, so a large or difficult one weighs on that arm alone. */
export interface Caller {
  readonly key: string;
  /** Of all calls; all callers' shares add up to 1. */
  readonly share: number;
  /** Factor on its rates of being unsure and disliked. */
  readonly difficulty: number;
}

export interface CanaryRun {
  readonly outcome: "rolled-back" | "promoted" | "undecided";
  /** Calls of the candidate, and of both, until then. */
  readonly candidateCalls: number;
  readonly allCalls: number;
  /** Steps it got to, from 1. */
  readonly steps: number;
}

/** One canary from its start to its end, looked at after every batch of calls, whose size is random. */
export function runCanary(world: World, random: Random): CanaryRun {
  let { canary } = world;
  let watch: CanaryWatch | undefined;
  let arms: Record<string, ArmTally> = {};
  let [candidateCalls, allCalls] = [0, 0];
  const ended = (outcome: CanaryRun["outcome"]) => ({ outcome, candidateCalls, allCalls, steps: canary.step + 1 });
  for (let look = 0; look < world.looksMax; look++) {
    const calls = Math.ceil(random() * 2 * world.callsPerLook);
    const [stable, candidate] = deal(world, canary, calls, world.drift?.(look) ?? 1, random);
    arms = {
      "1": addArmTallies(arms["1"] ?? emptyArmTally, stable),
      "2": addArmTallies(arms["2"] ?? emptyArmTally, candidate),
    };
    candidateCalls += candidate.calls;
    allCalls += calls;
    watch = watchCanary(canary, arms, watch);
    const { kind } = canaryStep(canary, arms, watch, look);
    if (kind === "roll-back") return ended("rolled-back");
    if (kind === "promote") return ended("promoted");
    if (kind === "advance") {
      canary = atStep(canary, canary.step + 1, look);
      watch = watchCanary(canary, arms, watch);
    }
  }
  return ended("undecided");
}

/** The canary at one of its steps, as the registry would have it. */
export function atStep(canary: Canary, step: number, nowMs: number): Canary {
  const weight = canary.steps[step] ?? 10_000;
  const [stable, candidate] = canary.arms;
  const arms: Canary["arms"] = [
    { version: stable.version, weight: 10_000 - weight },
    { version: candidate.version, weight },
  ];
  return { ...canary, step, stepStartedAtMs: nowMs, arms };
}

/** So many calls dealt to the two arms, and what became of them. */
function deal(world: World, canary: Canary, calls: number, factor: number, random: Random): [ArmTally, ArmTally] {
  const { stable, candidate, callers } = world;
  if (callers === undefined) {
    const theirs = binomial(calls, canary.arms[1].weight / 10_000, random);
    return [
      batchOf(calls - theirs, scaled(stable, factor), random),
      batchOf(theirs, scaled(candidate, factor), random),
    ];
  }
  let [mine, theirs] = [emptyArmTally, emptyArmTally];
  for (const { key, share, difficulty } of callers) {
    const toCandidate = chooseArm(canary, key) === canary.arms[1].version;
    const rates = scaled(toCandidate ? candidate : stable, factor, difficulty);
    const batch = batchOf(binomial(calls, share, random), rates, random);
    if (toCandidate) theirs = addArmTallies(theirs, batch);
    else mine = addArmTallies(mine, batch);
  }
  return [mine, theirs];
}

function scaled(rates: Rates, factor: number, difficulty = 1): Rates {
  const times = (rate: number, by: number) => Math.min(1, rate * by);
  return {
    error: times(rates.error, factor),
    slow: times(rates.slow, factor),
    unsure: times(rates.unsure, factor * difficulty),
    disliked: times(rates.disliked, factor * difficulty),
    rated: rates.rated,
  };
}

function batchOf(calls: number, rates: Rates, random: Random): ArmTally {
  const errors = binomial(calls, rates.error, random);
  const answered = calls - errors;
  const rated = binomial(answered, rates.rated, random);
  return {
    ...emptyArmTally,
    calls,
    errors,
    slow: binomial(answered, rates.slow, random),
    scored: answered,
    unsure: binomial(answered, rates.unsure, random),
    rated,
    disliked: binomial(rated, rates.disliked, random),
  };
}
