import { errors, type RolloutLimits } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { armTallyOf, type CallOutcome, copyTallyOf, ratingTallyOf, versionTallyOf, workOf } from "./tally-outcome.ts";

const timings = { queueMs: 1, prepareMs: 2, runMs: 3, shapeMs: 0.5, batchRows: 8, executions: 1 };
const answered: CallOutcome = {
  endedMs: 1_000,
  latencyMs: 10,
  cache: "miss",
  work: { rows: 2, timings, confidence: 0.6 },
};
const limits: RolloutLimits = {
  slowMs: 10,
  unsureBelow: 0.7,
  errorTolerance: 0,
  slowTolerance: 0,
  unsureTolerance: 0,
  dislikedTolerance: 0,
};

describe("a version counts, as Triton does,", () => {
  test("an answer with its rows, its run and where its time went, in nanoseconds", () => {
    expect(versionTallyOf(answered)).toMatchObject({
      lastInferenceMs: 1_000,
      inferenceCount: 2,
      executionCount: 1,
      success: { count: 1, ns: 10_000_000 },
      fail: { count: 0 },
      queue: { count: 1, ns: 1_000_000 },
      computeInput: { count: 1, ns: 2_000_000 },
      computeInfer: { count: 1, ns: 3_000_000 },
      computeOutput: { count: 1, ns: 500_000 },
      cacheMiss: { count: 1 },
      batches: { "8": { computeInfer: { count: 1, ns: 3_000_000 } } },
    });
  });

  test("one run once, however many calls shared it", () => {
    const mate = versionTallyOf({ ...answered, work: { rows: 1, timings: { ...timings, executions: 0 } } });
    expect(mate).toMatchObject({ executionCount: 0, inferenceCount: 1, batches: {}, queue: { count: 1 } });
  });

  test("an answer from the cache as a success that inferred nothing", () => {
    expect(versionTallyOf({ endedMs: 1, latencyMs: 2, cache: "hit" })).toMatchObject({
      success: { count: 1, ns: 2_000_000 },
      cacheHit: { count: 1, ns: 2_000_000 },
      inferenceCount: 0,
      executionCount: 0,
      queue: { count: 0 },
    });
  });

  test.each([
    ["overloaded", "REJECTED"],
    ["model_not_ready", "REJECTED"],
    ["upstream_failed", "BACKEND"],
    ["origin_unavailable", "BACKEND"],
    ["deadline_exceeded", "CANCELED"],
    ["canceled", "CANCELED"],
    ["internal_error", "OTHER"],
    ["invalid_shape", "OTHER"],
  ] as const)("a failure by its reason: %s is %s", (code, reason) => {
    expect(versionTallyOf({ endedMs: 1, latencyMs: 2, code })).toMatchObject({
      fail: { count: 1, ns: 2_000_000 },
      failures: { [reason]: 1 },
      success: { count: 0 },
      lastInferenceMs: 0,
    });
  });
});

describe("an arm counts", () => {
  test("an answer, slow above its bound and unsure below its score", () => {
    expect(armTallyOf(answered, limits)).toMatchObject({
      calls: 1,
      errors: 0,
      slow: 0,
      scored: 1,
      unsure: 1,
      scoreSum: 0.6,
    });
    expect(armTallyOf({ ...answered, latencyMs: 10.1 }, limits)).toMatchObject({ slow: 1 });
    expect(armTallyOf(answered)).toMatchObject({ slow: 0, unsure: 0, scored: 1 });
  });

  test("nothing for an answer from the cache", () => {
    expect(armTallyOf({ ...answered, cache: "hit" }, limits)).toBeUndefined();
  });

  test("every failure but those that are the caller's", () => {
    for (const [code, { owner }] of Object.entries(errors)) {
      const counted = armTallyOf({ endedMs: 1, latencyMs: 1, code: code as keyof typeof errors }, limits);
      if (owner === "client") expect(counted, code).toBeUndefined();
      else expect(counted, code).toMatchObject({ calls: 1, errors: 1, slow: 0, scored: 0 });
    }
  });

  test("nothing for a call whose caller left", () => {
    expect(armTallyOf({ endedMs: 1, latencyMs: 1, code: "canceled" }, limits)).toBeUndefined();
  });

  test("a rating as disliked below one half", () => {
    expect(ratingTallyOf(0.49)).toMatchObject({ calls: 0, rated: 1, disliked: 1, ratingSum: 0.49 });
    expect(ratingTallyOf(0.5)).toMatchObject({ disliked: 0 });
  });
});

describe("a shadow's arm counts", () => {
  test("an answered copy with its latency and whether it agreed, when it was compared", () => {
    const copy = { kind: "answered", latencyMs: 30 } as const;
    expect(copyTallyOf({ ...copy, agreed: true }, limits)).toMatchObject({ calls: 1, slow: 1, compared: 1, agreed: 1 });
    expect(copyTallyOf({ ...copy, agreed: false }, limits)).toMatchObject({ compared: 1, agreed: 0 });
    expect(copyTallyOf(copy, limits)).toMatchObject({ calls: 1, compared: 0 });
  });

  test("a failed copy as an error, and one that was not made as skipped, not as a call", () => {
    expect(copyTallyOf({ kind: "failed", latencyMs: 1, code: "upstream_failed" }, limits)).toMatchObject({
      calls: 1,
      errors: 1,
    });
    expect(copyTallyOf({ kind: "skipped" }, limits)).toMatchObject({ calls: 0, skipped: 1 });
  });
});

test("the confidence of an answer is the mean of its best scores, and what has no score has none", () => {
  const label = (score: number) => ({ label: "a", score, top: [] });
  const answer = { inputTokens: 1, timings };
  expect(workOf({ ...answer, predictions: [label(0.5), label(1)] })).toEqual({ rows: 2, timings, confidence: 0.75 });
  expect(workOf({ ...answer, predictions: [{ embedding: [1] }] })).toEqual({ rows: 1, timings });
});
