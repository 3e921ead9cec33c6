import { leasePolicy } from "@ledge/policy";
import { describe, expect, test } from "vitest";
import { policies, summaryOf } from "../../scripts/simulate/limits.ts";
import type { WorldOptions } from "../../scripts/simulate/limits-subject.ts";
import { runWorld } from "../../scripts/simulate/limits-world.ts";

/** A smaller world than docs/limits.md's, and a rougher one: virtual time, the gateway's and the meter's own decisions. */

const small: Omit<WorldOptions, "seed"> = {
  locations: 6,
  isolatesPerLocation: 10,
  subjects: 100,
  topRate: 100,
  seconds: 30,
  policy: leasePolicy,
  delayMs: [1, 30],
  loss: 0,
  doubled: 0,
  deathsPerS: 0,
  evictionsPerS: 0,
};

const rough = { delayMs: [1, 1_500], loss: 0.05, doubled: 0.05, deathsPerS: 1, evictionsPerS: 20 } as const;

describe("limits over sixty isolates", () => {
  test.each([1, 2])("are never exceeded, whatever is late, lost, doubled, evicted or dead: world %i", (seed) => {
    const tallies = runWorld({ ...small, ...rough, seed });
    expect(tallies.filter(({ excess }) => excess > 0)).toEqual([]);
    expect(summaryOf(tallies).calls).toBeGreaterThan(8_000);
  });

  test.each(policies)("are never exceeded under any policy of leases: %s", (_name, policy) => {
    const tallies = runWorld({ ...small, ...rough, subjects: 40, seconds: 20, policy, seed: 4 });
    expect(tallies.filter(({ excess }) => excess > 0)).toEqual([]);
  });

  test("admit all but one in a hundred of the calls that counting one by one would, on a quiet day", () => {
    const { underAdmission, unreached } = summaryOf(runWorld({ ...small, seed: 5 }));
    expect(unreached).toBe(0);
    expect(underAdmission).toBeLessThan(0.01);
  });

  test("ask the meter for fewer than a quarter of the calls of callers who are far from their limits, from ten a second over several isolates", () => {
    const worlds = Array.from({ length: 10 }, (_, i) => runWorld({ ...small, seed: 60 + i }));
    const tallies = worlds
      .flat()
      .filter(
        ({ rate, limits }) =>
          rate >= 10 && limits.in_flight === undefined && (limits.requests_per_minute ?? 0) > 100 * rate,
      );
    expect(tallies.length).toBeGreaterThan(5);
    expect(summaryOf(tallies).messagesPer1000).toBeLessThan(1_000 / 4);
  });
});

describe("the audit of these simulations", () => {
  test("sees a limit that is exceeded by one call", () => {
    const careless = { ...small, subjects: 20, evictionsPerS: 20, seed: 7, forgetful: true };
    expect(runWorld(careless).some(({ excess }) => excess > 0)).toBe(true);
  });
});
