import { errors, isErrorCode } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { awayMs, mayTryNextTier, type PlacementFacts, place, tiersInOrder } from "./placement.ts";

test("the edge is asked before the origin, whatever order a package names them in", () => {
  expect(tiersInOrder(["origin", "edge"])).toEqual(["edge", "origin"]);
  expect(tiersInOrder(["origin"])).toEqual(["origin"]);
});

describe("a call of a model that both tiers can run", () => {
  const facts = (edgeMs: number, originMs: number, more: Partial<PlacementFacts> = {}): PlacementFacts => ({
    tiers: ["edge", "origin"],
    edge: { expectedMs: edgeMs, away: false },
    origin: { expectedMs: originMs, away: false },
    remainingMs: 10_000,
    weight: 1,
    ...more,
  });
  const first = (given: PlacementFacts) => [place(given).order[0], place(given).reason];

  test("is answered at the edge while that is no slower by much: light work stays near", () => {
    expect(first(facts(5, 30))).toEqual(["edge", "near"]);
    expect(first(facts(55, 30))).toEqual(["edge", "near"]);
  });

  test("goes to the origin when it is done much sooner there: heavy work, or a long queue", () => {
    expect(first(facts(900, 80))).toEqual(["origin", "sooner"]);
  });

  test("goes to the origin when only there it is done before its deadline", () => {
    expect(first(facts(80, 60, { remainingMs: 70 }))).toEqual(["origin", "deadline"]);
  });

  test("goes to the origin while the edge says that it is full, and to the edge while the origin does", () => {
    expect(first(facts(5, 30, { edge: { expectedMs: 5, away: true } }))).toEqual(["origin", "full"]);
    expect(first(facts(900, 80, { origin: { expectedMs: 80, away: true } }))).toEqual(["edge", "near"]);
  });

  test("of a caller who comes first goes on to the origin sooner than another's, and work that nobody waits for never does", () => {
    const slower = facts(170, 100);
    expect(first({ ...slower, weight: 4 })).toEqual(["origin", "sooner"]);
    expect(first(slower)).toEqual(["edge", "near"]);
    expect(first(facts(300, 100, { weight: 0.5 }))).toEqual(["edge", "near"]);
    const { weight: _weight, ...nobody } = facts(9_000, 10);
    expect(first(nobody)).toEqual(["edge", "near"]);
  });

  test("has the other tier to go on to, whatever the facts are", () => {
    const tier = fc.record({ expectedMs: fc.nat(100_000), away: fc.boolean() });
    fc.assert(
      fc.property(tier, tier, fc.integer(), (edge, origin, remainingMs) => {
        const { order } = place({ tiers: ["origin", "edge"], edge, origin, remainingMs, weight: 1 });
        expect(order.toSorted()).toEqual(["edge", "origin"]);
      }),
    );
  });
});

test("a model that one tier runs goes there, and nothing is said of a choice", () => {
  const tier = { expectedMs: 1, away: true };
  expect(place({ tiers: ["origin"], edge: tier, origin: tier, remainingMs: 1 })).toEqual({ order: ["origin"] });
});

test("a tier that is full or not there is left alone for as long as it says, a second at most; one that failed at a call is not", () => {
  expect(awayMs({ code: "overloaded", retryAfterMs: 40 })).toBe(40);
  expect(awayMs({ code: "origin_unavailable", retryAfterMs: 60_000 })).toBe(1_000);
  expect(awayMs({ code: "upstream_failed", retryAfterMs: 40 })).toBe(0);
});

test("no fault of the caller and no passed deadline is tried again elsewhere", () => {
  for (const code of Object.keys(errors).filter(isErrorCode)) {
    if (errors[code].owner === "client" || code === "deadline_exceeded")
      expect(mayTryNextTier({ code }), code).toBe(false);
  }
});

test("a tier that is full, broken or not loaded passes the call on", () => {
  for (const code of ["overloaded", "upstream_failed", "model_not_ready"] as const)
    expect(mayTryNextTier({ code })).toBe(true);
});
