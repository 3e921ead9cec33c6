import { type ArmTally, type Experiment, parse, rolloutReport } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { emptyArmTally, latencyBucket } from "../tally.ts";
import { planRollout } from "./plan.ts";
import { estimateOf, reportRollout } from "./report.ts";

const latencies = (ms: number, calls: number) =>
  emptyArmTally.latency.map((_, bucket) => (bucket === latencyBucket(ms) ? calls : 0));

const arm: ArmTally = {
  ...emptyArmTally,
  calls: 200,
  errors: 10,
  slow: 19,
  scored: 190,
  unsure: 38,
  scoreSum: 152,
  rated: 20,
  disliked: 5,
  ratingSum: 15,
  latency: latencies(9, 190),
};

function experiment(): Experiment {
  const planned = planRollout(
    { kind: "experiment", weights: { "1": 50, "2": 50 } },
    { id: "r1", stable: "1", nowMs: 0 },
  );
  if (!planned.ok || planned.value.kind !== "experiment") throw new Error("no experiment");
  return planned.value;
}

describe("an estimate", () => {
  test("ends exactly at 0 for what never happened and at 1 for what always did, however many calls there were", () => {
    for (let of = 1; of <= 2_000; of++) {
      expect(estimateOf(0, of)?.low).toBe(0);
      expect(estimateOf(of, of)?.high).toBe(1);
    }
  });

  test("has Wilson's interval, which is right for few calls and for rates of nothing", () => {
    // Newcombe (1998), table I: 81 of 263, and 0 of 20.
    const { low, high } = estimateOf(81, 263) ?? { low: 0, high: 0 };
    expect(low).toBeCloseTo(0.2553, 4);
    expect(high).toBeCloseTo(0.3662, 4);
    expect(estimateOf(0, 20)?.low).toBe(0);
    expect(estimateOf(0, 20)?.high).toBeCloseTo(0.1611, 4);
  });

  test("of nothing is not given", () => {
    expect(estimateOf(0, 0)).toBeUndefined();
  });
});

describe("a report", () => {
  test("of an experiment says per arm calls, errors, latency, confidence and feedback, each with its interval", () => {
    const report = reportRollout("m", experiment(), { arms: { "1": arm } }, 0);
    expect(parse(rolloutReport, report).ok).toBe(true);
    const [first, second] = report.arms;
    expect(first).toMatchObject({ version: "1", share: 0.5, calls: 200 });
    for (const [name, value] of [
      ["errors", 0.05],
      ["slow", 0.1],
      ["confidence", 0.8],
      ["unsure", 0.2],
      ["feedback", 0.75],
      ["disliked", 0.25],
    ] as const) {
      const estimate = first?.[name];
      expect(estimate?.value, name).toBeCloseTo(value, 9);
      expect(estimate?.low, name).toBeLessThan(value);
      expect(estimate?.high, name).toBeGreaterThan(value);
    }
    expect(first?.p95Ms?.value).toBeGreaterThanOrEqual(9);
    expect(second).toEqual({ version: "2", share: 0.5, calls: 0, skipped: 0 });
    expect(report.criteria).toBeUndefined();
  });

  test("of a shadow says how often it agreed, and how many copies were not made", () => {
    const planned = planRollout({ kind: "shadow", version: "2", percent: 20 }, { id: "r1", stable: "1", nowMs: 0 });
    if (!planned.ok) throw new Error("no shadow");
    const arms = { "2": { ...arm, compared: 100, agreed: 90, skipped: 3 } };
    const shadow = reportRollout("m", planned.value, { arms }, 0).arms[1];
    expect(shadow).toMatchObject({ share: 0.2, skipped: 3, agreement: { value: 0.9, of: 100 } });
  });

  test("of a canary says its criteria with their bounds, what is slow, and what it waits for", () => {
    const planned = planRollout({ kind: "canary", version: "2" }, { id: "r1", stable: "1", nowMs: 0, slowMs: 20 });
    if (!planned.ok) throw new Error("no canary");
    const report = reportRollout("m", planned.value, { arms: { "1": arm, "2": arm } }, 1_000);
    expect(parse(rolloutReport, report).ok).toBe(true);
    expect(report.criteria?.map(({ name }) => name)).toEqual(["error", "slow", "unsure", "disliked"]);
    expect(report.criteria?.[0]).toMatchObject({ candidate: { bad: 10, of: 200 }, verdict: "fine" });
    expect(report.criteria?.[0]?.candidateBounds.lower).toBeLessThan(0.05);
    expect(report.next).toEqual({ kind: "wait", reason: "for 300 more calls of the candidate in this step" });
    expect(report.slowMs).toBe(20);
  });
});
