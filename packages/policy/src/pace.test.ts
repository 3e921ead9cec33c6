import fc from "fast-check";
import { expect, test } from "vitest";
import { expectedMs, noPace, paced } from "./pace.ts";

const prior = { callMs: 30, workMs: 2 };

test("of a tier that has said nothing, what is assumed is expected", () => {
  expect(expectedMs(noPace, prior, 1, 0)).toBeCloseTo(32);
  expect(expectedMs(noPace, prior, 100, 0)).toBeCloseTo(230);
});

test("a few dozen calls teach what a call and a unit of its work take, whatever was assumed", () => {
  let pace = noPace;
  for (let call = 0; call < 60; call++) pace = paced(pace, 1 + (call % 10), 5 + 7 * (1 + (call % 10)), call);
  expect(expectedMs(pace, prior, 4, 60)).toBeGreaterThan(25);
  expect(expectedMs(pace, prior, 4, 60)).toBeLessThan(40);
  expect(expectedMs(pace, prior, 100, 60)).toBeGreaterThan(400);
});

test("a tier that has become slow is known for it within a dozen calls, and is given another chance in half a minute", () => {
  let pace = noPace;
  for (let call = 0; call < 100; call++) pace = paced(pace, 1, 10, call);
  for (let call = 0; call < 12; call++) pace = paced(pace, 1, 1_000, 100 + call);
  expect(expectedMs(pace, prior, 1, 112)).toBeGreaterThan(150);
  expect(expectedMs(pace, prior, 1, 60_112)).toBeLessThan(60);
});

test("what is expected is never negative or no number, and more work never takes less", () => {
  const call = fc.record({ work: fc.integer({ min: 1, max: 1_000 }), tookMs: fc.nat(60_000), gapMs: fc.nat(5_000) });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), fc.integer({ min: 1, max: 1_000 }), (calls, work) => {
      let [pace, nowMs] = [noPace, 1_700_000_000_000];
      for (const { work: done, tookMs, gapMs } of calls) {
        nowMs += gapMs;
        pace = paced(pace, done, tookMs, nowMs);
      }
      const expected = expectedMs(pace, prior, work, nowMs);
      expect(expected).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(expected)).toBe(true);
    }),
  );
});
