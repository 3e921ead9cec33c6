import { type ArmTally, type Duration, latencyBoundsMs, type ModelTally, type VersionTally } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addArmTallies,
  addModelTallies,
  emptyArmTally,
  emptyModelTally,
  emptyVersionTally,
  latencyBucket,
  latencyQuantileMs,
  sinceArmTally,
  slowerThan,
} from "./tally.ts";

const count = fc.nat(1_000_000);
const duration: fc.Arbitrary<Duration> = fc.record({ count, ns: count });
const runs = fc.record({ computeInput: duration, computeInfer: duration, computeOutput: duration });
const version: fc.Arbitrary<VersionTally> = fc.record({
  lastInferenceMs: count,
  inferenceCount: count,
  executionCount: count,
  success: duration,
  fail: duration,
  queue: duration,
  computeInput: duration,
  computeInfer: duration,
  computeOutput: duration,
  cacheHit: duration,
  cacheMiss: duration,
  batches: fc.dictionary(fc.constantFrom("1", "2", "8"), runs),
  failures: fc.dictionary(fc.constantFrom("REJECTED", "BACKEND"), count),
  cache: fc.dictionary(fc.constantFrom("hit-kv", "miss"), count),
});
const arm: fc.Arbitrary<ArmTally> = fc.record({
  calls: count,
  errors: count,
  slow: count,
  scored: count,
  unsure: count,
  scoreSum: count,
  rated: count,
  disliked: count,
  ratingSum: count,
  compared: count,
  agreed: count,
  skipped: count,
  latency: fc.array(count, { minLength: latencyBoundsMs.length + 1, maxLength: latencyBoundsMs.length + 1 }),
});
const versions = fc.constantFrom("1", "2", "3");
const model: fc.Arbitrary<ModelTally> = fc.record({
  versions: fc.dictionary(versions, version),
  arms: fc.dictionary(fc.constantFrom("r1", "r2"), fc.dictionary(versions, arm)),
});

describe("tallies", () => {
  test("add up to the same in whatever order and grouping their parts arrive", () => {
    fc.assert(
      fc.property(model, model, model, (a, b, c) => {
        expect(addModelTallies(a, b)).toEqual(addModelTallies(b, a));
        expect(addModelTallies(addModelTallies(a, b), c)).toEqual(addModelTallies(a, addModelTallies(b, c)));
        expect(addModelTallies(a, emptyModelTally)).toEqual(a);
      }),
    );
  });

  test("start from nothing: an empty version adds nothing to one", () => {
    fc.assert(
      fc.property(version, (one) => {
        const empty = { versions: { "1": emptyVersionTally }, arms: {} };
        expect(addModelTallies({ versions: { "1": one }, arms: {} }, empty).versions["1"]).toEqual(one);
      }),
    );
  });

  test("since an earlier reading hold what was added to it", () => {
    fc.assert(
      fc.property(arm, arm, (a, b) => {
        expect(sinceArmTally(addArmTallies(a, b), a)).toEqual(b);
      }),
    );
  });
});

describe("latencies", () => {
  test("fall into the first bucket whose bound they do not pass", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100_000, noNaN: true }), (ms) => {
        const linear = latencyBoundsMs.findIndex((bound) => ms <= bound);
        expect(latencyBucket(ms)).toBe(linear < 0 ? latencyBoundsMs.length : linear);
      }),
    );
  });

  test("have a quantile no lower than the true one and at most a quarter and a bit above it", () => {
    const latencies = fc.array(fc.double({ min: 0.6, max: 50_000, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(latencies, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, quantile) => {
        const buckets = [...emptyArmTally.latency];
        for (const ms of all) buckets[latencyBucket(ms)] = (buckets[latencyBucket(ms)] ?? 0) + 1;
        const sorted = all.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(quantile * all.length - 1e-9) - 1] ?? 0;
        const told = latencyQuantileMs(buckets, quantile) ?? 0;
        expect(told).toBeGreaterThanOrEqual(exact);
        expect(told).toBeLessThanOrEqual(exact * 1.27);
      }),
    );
  });

  test("above a bound are those of the buckets behind it", () => {
    const buckets = latencyBoundsMs.map(() => 1).concat(5);
    expect(slowerThan(buckets, latencyBoundsMs[0] ?? 0)).toBe(latencyBoundsMs.length - 1 + 5);
    expect(slowerThan(buckets, latencyBoundsMs.at(-1) ?? 0)).toBe(5);
    expect(latencyQuantileMs(emptyArmTally.latency, 0.5)).toBeUndefined();
  });
});
