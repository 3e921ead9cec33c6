import type { Canary, Experiment, RolloutLimits, Shadow } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseArm, copiesToShadow } from "./split.ts";

const limits: RolloutLimits = {
  unsureBelow: 0.5,
  errorTolerance: 0.01,
  slowTolerance: 0.01,
  unsureTolerance: 0.01,
  dislikedTolerance: 0.01,
};
const common = { id: "r1", startedAtMs: 0, limits };

function canaryAt(weight: number, id = "r1"): Canary {
  return {
    kind: "canary",
    ...common,
    id,
    steps: [10_000],
    step: 0,
    stepStartedAtMs: 0,
    callsMin: 1,
    stepMsMin: 0,
    falseAlarm: 0.05,
    arms: [
      { version: "1", weight: 10_000 - weight },
      { version: "2", weight },
    ],
  };
}

function experimentOf(weights: readonly number[], id = "r1"): Experiment {
  const arms = weights.map((weight, arm) => ({ version: String(arm + 1), weight }));
  return { kind: "experiment", ...common, id, arms };
}

/** Pearson's X² of how often each version was chosen against its weight. */
function chiSquare(rollout: Experiment | Canary, keys: readonly string[]): number {
  const seen = new Map<string, number>();
  for (const key of keys) seen.set(chooseArm(rollout, key), (seen.get(chooseArm(rollout, key)) ?? 0) + 1);
  let sum = 0;
  for (const { version, weight } of rollout.arms) {
    const expected = (keys.length * weight) / 10_000;
    sum += ((seen.get(version) ?? 0) - expected) ** 2 / expected;
  }
  return sum;
}

describe("the split", () => {
  test("gives the same caller the same arm, however often it is asked", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 10_000 }), (key, weight) => {
        expect(chooseArm(canaryAt(weight), key)).toBe(chooseArm(canaryAt(weight), key));
      }),
    );
  });

  test("leaves a caller who is with the candidate there while its weight grows", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 10_000 }), fc.nat(10_000), (key, weight, more) => {
        fc.pre(chooseArm(canaryAt(weight), key) === "2");
        expect(chooseArm(canaryAt(Math.min(10_000, weight + more)), key)).toBe("2");
      }),
    );
  });

  test("gives nobody to a weight of nothing and everybody to a weight of all", () => {
    for (let key = 0; key < 20_000; key++) {
      expect(chooseArm(canaryAt(0), `user-${key}`)).toBe("1");
      expect(chooseArm(canaryAt(10_000), `user-${key}`)).toBe("2");
    }
  });

  // With k arms X² has k − 1 degrees of freedom; each bound is its 99.99 % quantile.
  test.each([
    ["a canary at 1 %", canaryAt(100), 15.14],
    ["a canary at 25 %", canaryAt(2_500), 15.14],
    ["halves", experimentOf([5_000, 5_000]), 15.14],
    ["uneven thirds", experimentOf([2_000, 3_000, 5_000]), 18.42],
    ["eight arms", experimentOf([1_250, 1_250, 1_250, 1_250, 1_250, 1_250, 1_250, 1_250]), 29.88],
  ] as const)("deals callers by weight without bias: %s", (_name, rollout, bound) => {
    const counting = Array.from({ length: 100_000 }, (_, key) => `user-${key}`);
    const hex = Array.from({ length: 100_000 }, (_, key) => `key:${(key * 2_654_435_761).toString(16)}`);
    expect(chiSquare(rollout, counting)).toBeLessThan(bound);
    expect(chiSquare(rollout, hex)).toBeLessThan(bound);
  });

  test("is dealt anew by another rollout: its arms do not depend on the last one's", () => {
    const keys = Array.from({ length: 100_000 }, (_, key) => `user-${key}`);
    const both = keys.filter(
      (key) => chooseArm(canaryAt(5_000, "r1"), key) === "2" && chooseArm(canaryAt(5_000, "r2"), key) === "2",
    ).length;
    expect(Math.abs(both - 25_000)).toBeLessThan(5 * Math.sqrt(100_000 * 0.25 * 0.75));
  });
});

describe("a shadow", () => {
  const shadow: Shadow = {
    kind: "shadow",
    ...common,
    arms: [
      { version: "1", weight: 10_000 },
      { version: "2", weight: 2_000 },
    ],
  };

  test("never answers: everybody gets the stable version", () => {
    for (let key = 0; key < 10_000; key++) expect(chooseArm(shadow, `user-${key}`)).toBe("1");
  });

  test("gets copies of its share of calls, and of no other rollout's", () => {
    const copied = Array.from({ length: 100_000 }, (_, id) => copiesToShadow(shadow, `request-${id}`));
    expect(Math.abs(copied.filter(Boolean).length - 20_000)).toBeLessThan(5 * Math.sqrt(100_000 * 0.2 * 0.8));
    expect(copiesToShadow(canaryAt(10_000), "request-1")).toBe(false);
  });
});
