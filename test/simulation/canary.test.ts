import { lowerBound, upperBound } from "@ledge/policy";
import { describe, expect, test } from "vitest";
import { binomial, randomOf } from "../../scripts/simulate/random.ts";
import { simulate } from "../../scripts/simulate/rollouts.ts";
import { nothingWrong, type Scenario, somethingWrong } from "../../scripts/simulate/scenarios.ts";

/** The rule's promises, held against simulated canaries that are looked at after every batch. docs/rollouts.md has the tables. */

const runs = 2_000;
const falseAlarm = 0.05;

describe("of 2,000 canaries", () => {
  test.each(nothingWrong)("no more than 100 are rolled back by mistake, of those $name", (scenario) => {
    // At the border of what is tolerated a canary stands long: here it stands for some 120,000 calls.
    const short: Scenario = { ...scenario, world: (run, random) => ({ ...scenario.world(run, random), looksMax: 60 }) };
    expect(simulate(short, runs, randomOf(1)).rolledBack).toBeLessThanOrEqual(runs * falseAlarm);
  });

  test("at least 99 % of those as good as the stable version are promoted by themselves", () => {
    const [same] = nothingWrong;
    if (same === undefined) throw new Error("no such scenario");
    expect(simulate(same, runs, randomOf(2)).promoted).toBeGreaterThanOrEqual(runs * 0.99);
  });
});

describe("a canary that is worse than tolerated", () => {
  const worse = (name: string) => {
    const found = somethingWrong.find((scenario) => scenario.name === name);
    if (found === undefined) throw new Error(`no scenario ${name}`);
    return found;
  };

  test.each([
    ["error +2", 3_000],
    ["error +5", 600],
    ["error +10", 250],
    ["slow +5", 2_000],
    ["slow +10", 600],
    ["unsure +10", 800],
  ])("%s points is rolled back 99 times of 100, in the median within %i of its calls", (name, callsMax) => {
    const row = simulate(worse(name), 200, randomOf(3));
    expect(row.rolledBack).toBeGreaterThanOrEqual(198);
    expect(row.candidateCalls).toBeLessThanOrEqual(callsMax);
  });
});

test("bounds that one looks at after every call miss the true rate no more often than they promise", () => {
  const [sequences, calls, rate, miss] = [500, 1_000, 0.05, 0.2];
  const random = randomOf(5);
  let missed = 0;
  for (let sequence = 0; sequence < sequences; sequence++) {
    let bad = 0;
    let outside = false;
    for (let of = 1; of <= calls && !outside; of++) {
      bad += Number(random() < rate);
      outside = lowerBound({ bad, of }, miss) > rate || upperBound({ bad, of }, miss) < rate;
    }
    missed += Number(outside);
  }
  expect(missed).toBeLessThanOrEqual(sequences * miss);
  // They are not so wide that they could not miss.
  expect(missed).toBeGreaterThan(sequences * 0.02);
});

test("the simulation's draws have the mean and the variance of a binomial", () => {
  const random = randomOf(4);
  for (const [calls, chance] of [
    [50, 0.01],
    [200, 0.3],
    [40, 0.9],
  ] as const) {
    const draws = Array.from({ length: 20_000 }, () => binomial(calls, chance, random));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    const expected = calls * chance * (1 - chance);
    expect(Math.abs(mean - calls * chance)).toBeLessThan(5 * Math.sqrt(expected / draws.length));
    expect(variance / expected).toBeGreaterThan(0.93);
    expect(variance / expected).toBeLessThan(1.07);
  }
});
