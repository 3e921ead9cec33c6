import fc from "fast-check";
import { expect, test } from "vitest";
import { logBeta } from "./log-gamma.ts";
import { lowerBound, rateBounds, upperBound } from "./rate-bounds.ts";

const counted = fc
  .tuple(fc.integer({ min: 0, max: 100_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([of, share]) => ({ of, bad: Math.min(of, Math.floor(of * share)) }));
const miss = fc.double({ min: 1e-6, max: 0.5, noNaN: true });

test("the observed rate lies within its bounds, and they within 0 and 1", () => {
  fc.assert(
    fc.property(counted, miss, (count, chance) => {
      const { lower, upper } = rateBounds(count, chance);
      const rate = count.of === 0 ? 0.5 : count.bad / count.of;
      expect(lower).toBeGreaterThanOrEqual(0);
      expect(lower).toBeLessThanOrEqual(rate);
      expect(upper).toBeGreaterThanOrEqual(rate);
      expect(upper).toBeLessThanOrEqual(1);
    }),
  );
});

test("nothing counted says nothing: the bounds are 0 and 1", () => {
  expect(rateBounds({ bad: 0, of: 0 }, 0.01)).toEqual({ lower: 0, upper: 1 });
});

test("a smaller chance to miss widens the bounds", () => {
  fc.assert(
    fc.property(counted, miss, (count, chance) => {
      expect(lowerBound(count, chance / 10)).toBeLessThanOrEqual(lowerBound(count, chance));
      expect(upperBound(count, chance / 10)).toBeGreaterThanOrEqual(upperBound(count, chance));
    }),
  );
});

test("at a bound the mixed likelihood ratio is exactly what the chance to miss allows", () => {
  const count = { bad: 30, of: 1_000 };
  const logRatio = (rate: number) =>
    logBeta(30.5, 970.5) - logBeta(0.5, 0.5) - 30 * Math.log(rate) - 970 * Math.log1p(-rate);
  const { lower, upper } = rateBounds(count, 0.01);
  expect(logRatio(lower)).toBeCloseTo(Math.log(100), 6);
  expect(logRatio(upper)).toBeCloseTo(Math.log(100), 6);
});

test("good and bad are treated alike: the bounds of what was not bad mirror those of what was", () => {
  fc.assert(
    fc.property(counted, miss, ({ bad, of }, chance) => {
      expect(lowerBound({ bad: of - bad, of }, chance)).toBeCloseTo(1 - upperBound({ bad, of }, chance), 9);
    }),
  );
});
