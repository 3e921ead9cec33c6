import { expect, test } from "vitest";
import { cacheStatus, cacheWish } from "./cache-control.ts";

test.each([
  [null, true, true],
  ["", true, true],
  ["no-cache", false, true],
  ["No-Cache", false, true],
  ["no-store", false, false],
  ["max-age=0, no-store", false, false],
  ["x-no-store", true, true],
])("Cache-Control %o looks up: %s, stores: %s", (header, lookup, store) => {
  expect(cacheWish(header)).toEqual({ lookup, store });
});

test("Cache-Status follows RFC 9211", () => {
  expect(cacheStatus({ kind: "hit", layer: "memory", ttlS: 12 })).toBe("Ledge; hit; ttl=12; detail=memory");
  expect(cacheStatus({ kind: "forward", why: "miss", stored: true })).toBe("Ledge; fwd=miss; stored");
  expect(cacheStatus({ kind: "forward", why: "bypass", stored: false })).toBe("Ledge; fwd=bypass");
});
