import fc from "fast-check";
import { expect, test } from "vitest";
import { worthAfterUse } from "./worth.ts";

const dayMs = 86_400_000;
const nowMs = 1_795_435_200_000;
const uses = (atMs: readonly number[]) =>
  atMs.reduce<number | undefined>((worth, at) => worthAfterUse(worth, at, dayMs), undefined) ?? 0;

test("an entry is worth its uses, each half a half-life later", () => {
  const used = fc.array(fc.integer({ min: nowMs - 30 * dayMs, max: nowMs }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(used, (all) => {
      const summed = all.reduce((sum, atMs) => sum + 2 ** ((atMs - nowMs) / dayMs), 0);
      expect(uses(all) - nowMs / dayMs).toBeCloseTo(Math.log2(summed), 6);
    }),
  );
});

test("of two entries used as often, the one used last is worth more; of two used last together, the one used more often", () => {
  expect(uses([nowMs - dayMs, nowMs])).toBeGreaterThan(uses([nowMs - dayMs, nowMs - 1]));
  expect(uses([nowMs - 3 * dayMs, nowMs])).toBeGreaterThan(uses([nowMs]));
});

test("an entry used often long ago gives way to one used once now", () => {
  expect(uses(Array.from({ length: 100 }, () => nowMs - 7 * dayMs))).toBeLessThan(uses([nowMs]));
});
