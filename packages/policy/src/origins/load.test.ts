import fc from "fast-check";
import { expect, test } from "vitest";
import { type Candidate, cheaperOfTwo, costOf, type Latency, measured, unknownLatency } from "./load.ts";

const draw = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const candidate = fc.record({
  latency: fc.record({ meanMs: fc.double({ min: 0, max: 10_000, noNaN: true }), atMs: fc.nat(1_000) }),
  inFlight: fc.nat(100),
  weight: fc.integer({ min: 1, max: 100 }),
});

const at = (meanMs: number): Latency => ({ meanMs, atMs: 0 });

test("a slow answer is believed at once, and forgotten little by little", () => {
  const peak = measured(measured(unknownLatency, 20, 0), 900, 10);
  expect(peak.meanMs).toBe(900);
  const later = measured(peak, 20, 1_010);
  expect(later.meanMs).toBeGreaterThan(700);
  expect(measured(later, 20, 60_000).meanMs).toBeLessThan(30);
});

test("an origin that was slow and is asked no more looks better with time", () => {
  const slow = { latency: at(5_000), inFlight: 0, weight: 1 };
  expect(costOf(slow, 60_000)).toBeLessThan(costOf(slow, 0) / 100);
});

test("of two that differ the slower is never chosen, nor of many the worst", () => {
  fc.assert(
    fc.property(fc.array(candidate, { minLength: 2, maxLength: 8 }), draw, draw, (candidates, a, b) => {
      const costs = candidates.map((one) => costOf(one, 1_000));
      const worst = Math.max(...costs);
      fc.pre(costs.filter((cost) => cost === worst).length === 1);
      const chosen = cheaperOfTwo(candidates, 1_000, [a, b]);
      expect(chosen !== undefined && costOf(chosen, 1_000) < worst).toBe(true);
    }),
  );
});

test("one alone is chosen, of none none", () => {
  const one: Candidate = { latency: at(1), inFlight: 9, weight: 1 };
  expect([cheaperOfTwo([one], 0, [0.9, 0.9]), cheaperOfTwo([], 0, [0.5, 0.5])]).toEqual([one, undefined]);
});

test("calls under way are dealt by weight among equals", () => {
  const flying = [0, 0, 0];
  const weights = [1, 2, 5];
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let call = 0; call < 800; call++) {
    const candidates = weights.map((weight, i) => ({ i, weight, latency: at(10), inFlight: flying[i] ?? 0 }));
    const i = cheaperOfTwo(candidates, 0, [random(), random()])?.i ?? 0;
    flying[i] = (flying[i] ?? 0) + 1;
  }
  expect(flying[0]).toBeGreaterThan(60);
  expect(flying[0]).toBeLessThan(140);
  expect(flying[2]).toBeGreaterThan(420);
  expect(flying[2]).toBeLessThan(580);
});
