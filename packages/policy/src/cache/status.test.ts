import { expect, test } from "vitest";
import { ageOf, type CacheOutcome, cacheEvents, cacheStatus, joinedOutcome } from "./status.ts";

const id = "0123456789abcdef0123456789abcdef";
const key = `key="${id}"`;
const hit: CacheOutcome = { kind: "hit", layer: "memory", ttlS: 12, ageS: 3, id };
const miss: CacheOutcome = { kind: "forward", why: "miss", stored: true, id };

test.each<[string, CacheOutcome]>([
  [`Ledge; hit; ttl=12; ${key}; detail=memory`, hit],
  [`Ledge; hit; ttl=12; ${key}; detail=workers-cache`, { ...hit, layer: "workers-cache" }],
  [
    `Ledge; hit; ttl=-12; ${key}; detail=stale-while-revalidate`,
    { ...hit, ttlS: -12, stale: "stale-while-revalidate" },
  ],
  [
    `Ledge; hit; ttl=12; ${key}; detail="semantic; similarity=0.953; probability=0.998; id=${"f".repeat(32)}"`,
    { ...hit, semantic: { similarity: 0.9531, probability: 0.9979, id: "f".repeat(32) } },
  ],
  [`Ledge; fwd=miss; stored; ${key}`, miss],
  [`Ledge; fwd=miss; collapsed; ${key}`, { ...miss, stored: false, collapsed: true }],
  [`Ledge; fwd=request; stored; ${key}`, { ...miss, why: "request" }],
  ["Ledge; fwd=bypass", { kind: "forward", why: "bypass", stored: false }],
  ["Ledge; fwd=bypass; detail=off", { kind: "forward", why: "bypass", stored: false, detail: "off" }],
  [
    `Ledge; fwd=stale; fwd-status=502; ttl=-40; ${key}; detail=stale-if-error`,
    { kind: "forward", why: "stale", stored: false, id, failed: { code: "upstream_failed", ttlS: -40, ageS: 100 } },
  ],
])("Cache-Status follows RFC 9211: %s", (text, outcome) => {
  expect(cacheStatus(outcome)).toBe(text);
});

test("Age is that of a kept answer, and of no other", () => {
  expect(ageOf(hit)).toBe(3);
  expect(
    ageOf({ kind: "forward", why: "stale", stored: false, failed: { code: "upstream_failed", ttlS: -1, ageS: 9 } }),
  ).toBe(9);
  expect(ageOf(miss)).toBeUndefined();
});

test("what is counted: where a hit was found, that it was stale, and every alarm", () => {
  expect(cacheEvents(hit)).toEqual(["hit-memory"]);
  expect(cacheEvents({ ...hit, layer: "kv", ttlS: -1 })).toEqual(["hit-kv", "stale"]);
  expect(cacheEvents({ ...hit, semantic: { similarity: 1, probability: 1, id } })).toEqual(["hit-semantic"]);
  expect(cacheEvents({ ...miss, unsealed: true })).toEqual(["miss", "stored", "unsealed"]);
  expect(cacheEvents({ ...miss, stored: false, collapsed: true })).toEqual(["collapsed"]);
});

test("an answer in several parts is a hit only when every part is one, and as stale as the stalest", () => {
  const older: CacheOutcome = { ...hit, layer: "kv", ttlS: 2, ageS: 9, etag: 'W/"b"' };
  expect(joinedOutcome([], undefined)).toBeUndefined();
  expect(joinedOutcome([hit], 'W/"x"')).toBe(hit);
  expect(joinedOutcome([hit, older], 'W/"x"')).toEqual({ kind: "hit", layer: "kv", ttlS: 2, ageS: 9, etag: 'W/"x"' });
  expect(joinedOutcome([hit, miss], undefined)).toEqual({ kind: "forward", why: "miss", stored: true });
  expect(joinedOutcome([{ ...hit, unsealed: true }, miss], undefined)?.unsealed).toBe(true);
});
