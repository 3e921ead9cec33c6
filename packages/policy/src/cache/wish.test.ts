import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cacheWish, plainWish } from "./wish.ts";

const wishOf = (headers: Readonly<Record<string, string>>) => cacheWish((name) => headers[name] ?? null);
const control = (value: string) => wishOf({ "Cache-Control": value });

test.each([
  [null, true, true],
  ["", true, true],
  ["no-cache", false, true],
  ["No-Cache", false, true],
  ["no-store", false, false],
  ["max-age=0, no-store", false, false],
  ["x-no-store", true, true],
])("Cache-Control %o looks up: %s, stores: %s", (header, lookup, store) => {
  expect(wishOf(header === null ? {} : { "Cache-Control": header })).toMatchObject({ lookup, store });
});

describe("Cache-Control", () => {
  test("says how old, how fresh and how stale an answer may be, in seconds, bare or quoted", () => {
    expect(control('max-age=5, min-fresh="7", max-stale=9')).toMatchObject({ maxAgeS: 5, minFreshS: 7, maxStaleS: 9 });
    expect(control("max-stale")).toMatchObject({ maxStaleS: Number.POSITIVE_INFINITY });
    expect(control("only-if-cached")).toMatchObject({ onlyIfCached: true });
  });

  test.each(["max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=x", "min-fresh", "max-stale=soon"])(
    "that is malformed is refused, not guessed: %s",
    (value) => {
      expect(control(value)).toHaveProperty("wrong");
    },
  );

  test("that this does not know is ignored", () => {
    expect(control("no-transform, stale-if-error=5, private, ,")).toEqual(plainWish);
  });
});

describe("Ledge's own headers", () => {
  test("take a time to live, a partition, tags and the semantic switch", () => {
    const headers = {
      "Ledge-Cache-Ttl": "60",
      "Ledge-Cache-Key": "user:7",
      "Ledge-Cache-Tag": "a, b,a",
      "Ledge-Cache-Semantic": "on",
    };
    expect(wishOf(headers)).toEqual({ ...plainWish, ttlS: 60, partition: "user:7", tags: ["a", "b"], semantic: true });
    expect(wishOf({ "Ledge-Cache-Semantic": "off" })).toMatchObject({ semantic: false });
  });

  test.each([
    ["Ledge-Cache-Ttl", "0"],
    ["Ledge-Cache-Ttl", "2592001"],
    ["Ledge-Cache-Ttl", "1.5"],
    ["Ledge-Cache-Ttl", "-1"],
    ["Ledge-Cache-Ttl", ""],
    ["Ledge-Cache-Key", ""],
    ["Ledge-Cache-Key", "a b"],
    ["Ledge-Cache-Key", "x".repeat(129)],
    ["Ledge-Cache-Tag", ""],
    ["Ledge-Cache-Tag", "a,,b"],
    ["Ledge-Cache-Tag", "x".repeat(65)],
    ["Ledge-Cache-Tag", "1,2,3,4,5,6,7,8,9"],
    ["Ledge-Cache-Semantic", "yes"],
  ])("out of range are refused, never changed: %s: %s", (name, value) => {
    expect(wishOf({ [name]: value })).toHaveProperty("wrong");
  });

  test("take every time to live within the range as it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_592_000 }), (ttlS) => {
        expect(wishOf({ "Ledge-Cache-Ttl": String(ttlS) })).toMatchObject({ ttlS });
      }),
    );
  });
});
