import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyBucket, type RateRule, type RateState, takeTokens } from "./rate-limit.ts";

const one = (want: number) => ({ want, returned: [], ahead: false });
const perMinute = (limit: number): RateRule => ({ limit, windowMs: 60_000 });

/** Takes one token per given moment and says how many were granted. */
function takeEach(rule: RateRule, moments: readonly number[], want = 1): { granted: number; state: RateState } {
  let state = emptyBucket;
  let granted = 0;
  for (const nowMs of moments) {
    const [decision, after] = takeTokens(rule, state, nowMs, one(want));
    granted += decision.granted;
    state = after;
  }
  return { granted, state };
}

describe("the rate limit", () => {
  test("a burst of 100 against a limit of 10 admits exactly 10", () => {
    expect(takeEach(perMinute(10), Array(100).fill(1_000_000)).granted).toBe(10);
  });

  test("a refusal costs nothing", () => {
    const { state } = takeEach(perMinute(10), Array(10).fill(5_000));
    const [refused, after] = takeTokens(perMinute(10), state, 5_000, one(1));
    expect(refused.granted).toBe(0);
    expect(after).toEqual(state);
  });

  test("a caller who waits exactly retryAfterMs is admitted, and one who waits a millisecond less is not", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 2e12 }), (limit, startMs) => {
        const rule = perMinute(limit);
        const { state } = takeEach(rule, Array(limit).fill(startMs));
        const [refused] = takeTokens(rule, state, startMs, one(1));
        expect(refused.granted).toBe(0);
        expect(takeTokens(rule, state, startMs + refused.retryAfterMs - 1, one(1))[0].granted).toBe(0);
        expect(takeTokens(rule, state, startMs + refused.retryAfterMs, one(1))[0].granted).toBe(1);
      }),
    );
  });

  test("over any span it admits at most the burst and what drained, whatever the order of calls and sizes of leases", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 1, max: 40 })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), steps, (limit, calls) => {
        const rule = perMinute(limit);
        let state = emptyBucket;
        let nowMs = 1_700_000_000_000;
        const startMs = nowMs;
        let granted = 0;
        for (const [waitMs, want] of calls) {
          nowMs += waitMs;
          const [decision, after] = takeTokens(rule, state, nowMs, one(want));
          granted += decision.granted;
          state = after;
          expect(granted).toBeLessThanOrEqual(limit + Math.floor(((nowMs - startMs) * limit) / 60_000));
        }
      }),
    );
  });

  test("a caller who keeps to the limit is never refused, for any limit, without drift over a day", () => {
    for (const limit of [1, 7, 60, 600, 999]) {
      const everyMs = Math.ceil(60_000 / limit);
      const moments = Array.from({ length: Math.min(100_000, 1440 * limit) }, (_, i) => i * everyMs);
      expect(takeEach(perMinute(limit), moments).granted).toBe(moments.length);
    }
  });

  test("a lease takes no more than an eighth of what is free and shrinks to one near the limit", () => {
    const [plenty] = takeTokens(perMinute(800), emptyBucket, 0, one(256));
    expect(plenty.granted).toBe(100);
    const [small] = takeTokens(perMinute(10), emptyBucket, 0, one(256));
    expect(small.granted).toBe(1);
  });

  test("a lease that comes back frees what was not spent at once, and gives nothing when it comes back twice", () => {
    const rule = perMinute(800);
    const [first, taken] = takeTokens(rule, emptyBucket, 0, one(256));
    const back = [{ id: first.leaseId, unspent: first.granted - 1 }];
    const [second, settled] = takeTokens(rule, taken, 0, { want: 1, returned: back, ahead: false });
    expect(second.remaining).toBe(798);
    expect(takeTokens(rule, settled, 0, { want: 1, returned: back, ahead: false })[0].remaining).toBe(797);
  });

  test("a lease that never comes back counts as spent", () => {
    const rule = perMinute(8_000);
    const [first, taken] = takeTokens(rule, emptyBucket, 0, one(256));
    const [, folded] = takeTokens(rule, taken, 10_000, one(1));
    expect(folded.leases).toEqual([]);
    expect(folded.backlog).toBe(first.granted * 60_000);
  });

  test("a clock that steps back forgives nothing", () => {
    const { state } = takeEach(perMinute(5), Array(5).fill(100_000));
    expect(takeTokens(perMinute(5), state, 40_000, one(1))[0].granted).toBe(0);
  });

  test("a lowered limit holds at once and a raised one grants the difference", () => {
    const { state } = takeEach(perMinute(100), Array(50).fill(0));
    expect(takeTokens(perMinute(10), state, 0, one(1))[0].granted).toBe(0);
    expect(takeTokens(perMinute(200), state, 0, one(1))[0].granted).toBe(1);
  });
});
