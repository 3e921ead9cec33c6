import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs, backoffRule } from "./backoff.ts";

test("a wait is anywhere from nothing to the whole, the whole doubles with each retry, and has an end", () => {
  const wholes = [1, 2, 3, 4, 9].map((retry) => backoffMs(backoffRule, retry, 1));
  expect(wholes).toEqual([50, 100, 200, 400, 2_000]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (retry, random) => {
      const waitMs = backoffMs(backoffRule, retry, random);
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitMs).toBeLessThanOrEqual(Math.min(backoffRule.maxMs, 50 * 2 ** (retry - 1)));
    }),
  );
});
