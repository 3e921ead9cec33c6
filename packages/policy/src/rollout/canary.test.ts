import type { ArmTally, Canary } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { emptyArmTally, latencyBucket } from "../tally.ts";
import { canaryChange, canaryStep, judgeCriteria } from "./canary.ts";
import { criteriaOf, watchCanary } from "./criteria.ts";

const slowMs = 100;
const limits = {
  slowMs,
  unsureBelow: 0.5,
  errorTolerance: 0.01,
  slowTolerance: 0.05,
  unsureTolerance: 0.05,
  dislikedTolerance: 0.05,
};

function canaryAt(step: number, more: Partial<Canary> = {}): Canary {
  const steps = [100, 500, 2_500, 10_000];
  const weight = steps[step] ?? 10_000;
  return {
    kind: "canary",
    id: "r1",
    startedAtMs: 0,
    limits,
    steps,
    step,
    stepStartedAtMs: 0,
    callsMin: 100,
    stepMsMin: 1_000,
    falseAlarm: 0.05,
    arms: [
      { version: "1", weight: 10_000 - weight },
      { version: "2", weight },
    ],
    ...more,
  };
}

const arm = (calls: number, more: Partial<ArmTally> = {}): ArmTally => ({
  ...emptyArmTally,
  calls,
  scored: calls,
  ...more,
});
const good = arm(10_000, { errors: 100, slow: 500, unsure: 1_000, rated: 1_000, disliked: 200 });
const fine = arm(1_000, { errors: 10, slow: 50, unsure: 100, rated: 100, disliked: 20 });

/** The verdict when these are all calls of the canary's first step. */
function verdict(candidate: ArmTally, stable = good, nowMs = 5_000, canary = canaryAt(0)) {
  const arms = { "1": stable, "2": candidate };
  return canaryStep(canary, arms, watchCanary(canary, arms, undefined), nowMs);
}

describe("a canary", () => {
  test("goes on a step when it had enough calls and time and nothing is worse", () => {
    expect(verdict(fine).kind).toBe("advance");
  });

  test("is promoted after its last step", () => {
    expect(verdict(fine, good, 5_000, canaryAt(3)).kind).toBe("promote");
  });

  test("waits until it had enough calls, and says how many are missing", () => {
    expect(verdict(arm(99))).toEqual({ kind: "wait", reason: "for 1 more calls of the candidate in this step" });
  });

  test("waits until the step lasted long enough, and says how long that is", () => {
    expect(verdict(fine, good, 400)).toEqual({ kind: "wait", reason: "for 1 s more of this step" });
  });

  test.each([
    ["fails more often", { errors: 100 }, "error"],
    ["is slow more often", { slow: 300 }, "slow"],
    ["is unsure more often", { unsure: 400 }, "unsure"],
    ["is disliked more often", { disliked: 90 }, "disliked"],
  ])("that %s, surely beyond what is tolerated, is rolled back, and the reason names it", (_what, worse, name) => {
    const decided = verdict({ ...fine, ...worse });
    expect(decided.kind).toBe("roll-back");
    expect(decided.reason).toMatch(new RegExp(`^${name}: `));
  });

  test("is rolled back before it had its calls and its time when it is bad enough", () => {
    expect(verdict(arm(50, { errors: 25 }), good, 0).kind).toBe("roll-back");
  });

  test("is rolled back without waiting by failing calls alone, though there are no answers to score", () => {
    expect(verdict(arm(60, { errors: 60, scored: 0 })).kind).toBe("roll-back");
  });

  test("that looks worse than tolerated, not surely so, is held at its step and its small share", () => {
    const decided = verdict({ ...fine, errors: 25 });
    expect(decided.kind).toBe("wait");
    expect(decided.reason).toMatch(/^error: 2\.5 % of 1000, stable 1\.0 % of 10000, tolerated 1\.0 % more: worse/);
  });

  test("is not held by one bad rating", () => {
    expect(verdict({ ...fine, rated: 1, disliked: 1 }).kind).toBe("advance");
  });

  test("is not held at its last step, where no more calls of the stable version can clear a doubt", () => {
    const arms = [0, 1, 2, 3].map((step) => ({
      "1": good,
      "2": arm(1_000 * (step + 1), { errors: 10 * step + 25 }),
    }));
    let watch = watchCanary(canaryAt(2), arms[0] ?? {}, undefined);
    watch = watchCanary(canaryAt(3), arms[0] ?? {}, watch);
    const canary = canaryAt(3);
    expect(judgeCriteria(canary, arms[1] ?? {}, watch)[0]).toMatchObject({ stable: { of: 10_000 } });
    expect(canaryStep(canary, { "1": good, "2": arm(2_000, { errors: 50 }) }, watch, 5_000).kind).toBe("promote");
  });

  test("that fails under its full share is still rolled back, against what the stable version did in the step before", () => {
    const before = { "1": good, "2": fine };
    let watch = watchCanary(canaryAt(2), before, undefined);
    watch = watchCanary(canaryAt(3), before, watch);
    const after = { "1": good, "2": arm(2_000, { errors: 200 }) };
    expect(canaryStep(canaryAt(3), after, watch, 5_000).kind).toBe("roll-back");
  });

  test("compares only calls of the running step: what an arm did before is forgotten", () => {
    const before = { "1": arm(1_000), "2": arm(1_000, { errors: 40 }) };
    let watch = watchCanary(canaryAt(0), before, undefined);
    const canary = canaryAt(1);
    watch = watchCanary(canary, before, watch);
    const now = { "1": arm(1_500, { errors: 5 }), "2": arm(1_100, { errors: 41 }) };
    expect(criteriaOf(canary, now, watchCanary(canary, now, watch))[0]).toMatchObject({
      stable: { bad: 5, of: 500 },
      candidate: { bad: 1, of: 100 },
    });
  });

  test("without a bound for slow learns the stable version's 95th percentile once, and then keeps to it", () => {
    const { slowMs: _bound, ...open } = limits;
    const canary = canaryAt(0, { limits: open });
    const latency = (ms: number, calls: number) =>
      emptyArmTally.latency.map((_, bucket) => (bucket === latencyBucket(ms) ? calls : 0));
    const watch = watchCanary(canary, { "1": arm(99, { latency: latency(9, 99) }) }, undefined);
    expect(watch.slowMs).toBeUndefined();
    const learned = watchCanary(canary, { "1": arm(100, { latency: latency(9, 100) }) }, watch);
    expect(learned.slowMs).toBeGreaterThanOrEqual(9);
    const arms = { "1": arm(200, { latency: latency(9, 200) }), "2": arm(50, { latency: latency(900, 50) }) };
    const later = watchCanary(canary, arms, learned);
    expect(later.slowMs).toBe(learned.slowMs);
    expect(criteriaOf(canary, arms, later)[1]).toMatchObject({ stable: { bad: 0 }, candidate: { bad: 50 } });
  });
});

test("a verdict changes the registry by one step on, or by the canary's end; waiting changes nothing", () => {
  const canary = canaryAt(1);
  const change = (kind: Parameters<typeof canaryChange>[2]["kind"]) =>
    canaryChange("m", canary, { kind, reason: "why" });
  expect(change("wait")).toBeUndefined();
  expect(change("advance")).toEqual({ kind: "advance-rollout", model: "m", id: "r1", step: 2, reason: "why" });
  expect(change("promote")).toMatchObject({ kind: "end-rollout", outcome: "promoted", id: "r1" });
  expect(change("roll-back")).toMatchObject({ kind: "end-rollout", outcome: "rolled-back", reason: "why" });
});
