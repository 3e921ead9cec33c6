import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freshnessOf, keepS } from "./freshness.ts";

const createdAtMs = 1_000_000;
const times = { createdAtMs, freshUntilMs: createdAtMs + 60_000 };
const rule = { staleWhileRevalidateS: 10, staleIfErrorS: 100 };
const at = (ageS: number, wish = {}) => freshnessOf(times, rule, wish, createdAtMs + ageS * 1000);
const fresh = { kind: "fresh" };

describe("a kept answer", () => {
  test("is fresh up to its time to live, exclusive", () => {
    expect(at(0)).toEqual(fresh);
    expect(at(59.999)).toEqual(fresh);
    expect(at(60)).toEqual({ kind: "stale", refresh: true, asked: false });
  });

  test("past it answers while it is refreshed, for the policy's window", () => {
    expect(at(69.999)).toEqual({ kind: "stale", refresh: true, asked: false });
    expect(at(70)).toEqual({ kind: "spent", ifError: true });
  });

  test("past that answers only when whoever is asked fails, for the policy's window", () => {
    expect(at(159.999)).toEqual({ kind: "spent", ifError: true });
    expect(at(160)).toEqual({ kind: "spent", ifError: false });
  });

  test("older than max-age does not answer, whatever the windows", () => {
    expect(at(30, { maxAgeS: 30 })).toEqual(fresh);
    expect(at(30.001, { maxAgeS: 30 })).toEqual({ kind: "spent", ifError: false });
    expect(at(65, { maxAgeS: 100 })).toEqual({ kind: "spent", ifError: false });
    expect(at(0.001, { maxAgeS: 0 })).toEqual({ kind: "spent", ifError: false });
  });

  test("answers for min-fresh only when that much of its freshness is left", () => {
    expect(at(20, { minFreshS: 40 })).toEqual(fresh);
    expect(at(20.001, { minFreshS: 40 })).toEqual({ kind: "spent", ifError: false });
  });

  test("that is stale answers who takes that with max-stale, up to its bound", () => {
    expect(at(65, { maxStaleS: 5 })).toMatchObject({ kind: "stale", asked: true });
    expect(at(65.001, { maxStaleS: 5 })).toMatchObject({ kind: "spent" });
    expect(at(1_000_000, { maxStaleS: Number.POSITIVE_INFINITY })).toEqual({
      kind: "stale",
      asked: true,
      refresh: false,
    });
    expect(at(35, { maxAgeS: 30, maxStaleS: 5 })).toMatchObject({ kind: "stale", asked: true });
    expect(at(36, { maxAgeS: 30, maxStaleS: 5 })).toMatchObject({ kind: "spent" });
  });

  test("once it does not answer does not answer later, by the same wish", () => {
    const seconds = fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined });
    const rank = { fresh: 0, stale: 1, spent: 2 };
    const age = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(seconds, seconds, age, age, (maxAgeS, minFreshS, one, other) => {
        const wish = {
          ...(maxAgeS === undefined ? {} : { maxAgeS }),
          ...(minFreshS === undefined ? {} : { minFreshS }),
        };
        const [sooner, later] = [Math.min(one, other), Math.max(one, other)];
        expect(rank[at(sooner, wish).kind]).toBeLessThanOrEqual(rank[at(later, wish).kind]);
      }),
    );
  });
});

test("an answer is kept for its time to live and the longer of the stale windows", () => {
  expect(keepS(60, rule)).toBe(160);
  expect(keepS(60, { staleWhileRevalidateS: 30, staleIfErrorS: 0 })).toBe(90);
});
