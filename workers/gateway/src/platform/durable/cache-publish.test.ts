import { type CacheState, emptyCacheState } from "@ledge/contract";
import { cacheStep, firstKeyring, rotatedKeyring } from "@ledge/policy";
import { beforeEach, describe, expect, test } from "vitest";
import { sqlite } from "../../../../../test/support/sqlite.ts";
import { isBehind, isPublished, publishCache } from "./cache-publish.ts";
import { CacheStore } from "./cache-store.ts";
import type { Sql } from "./tally-store.ts";

/** A KV namespace that refuses what `refuses` says, and lets something happen while it writes. */
class MemoryKv {
  readonly values = new Map<string, string>();
  writes: string[] = [];
  refuses = (_key: string) => false;
  meanwhile: () => void = () => undefined;

  async put(key: string, value: string) {
    await this.#write(key);
    this.values.set(key, value);
  }
  async delete(key: string) {
    await this.#write(key);
    this.values.delete(key);
  }
  async #write(key: string) {
    this.writes.push(key);
    this.meanwhile();
    if (this.refuses(key)) throw new Error("down");
  }
}

const salt = (of: number) => `${String(of).padStart(43, "A")}=`;
const ringOf = (tenant: string) => firstKeyring(tenant, 0, salt(1), salt(2), 0);
const ring = ringOf("acme");
const rules: CacheState = {
  number: 7,
  purges: { all: { number: 3, atMs: 30 }, "tenant:acme": { number: 7, atMs: 70 } },
  models: { intent: { ttl_s: 60 } },
  tenants: { constructor: { enabled: false } },
  keys: { acme: 5 },
};

let sql: Sql;
let store: CacheStore;
let kv: MemoryKv;

beforeEach(() => {
  ({ sql } = sqlite());
  store = new CacheStore(sql);
  kv = new MemoryKv();
});

describe("publishing", () => {
  test("writes the rules and every keyring that changed, deletes those that are destroyed, and nothing twice", async () => {
    store.saveKeyring(ring);
    store.saveKeyring(ringOf("globex"));
    store.destroyKeyring("globex");
    await publishCache(kv, store, rules);
    expect(JSON.parse(kv.values.get("cache:current") ?? "")).toEqual(rules);
    expect(JSON.parse(kv.values.get("cache:keys:acme") ?? "")).toEqual(ring);
    expect(kv.writes.toSorted()).toEqual(["cache:current", "cache:keys:acme", "cache:keys:globex"]);
    expect(isBehind(store, rules)).toBe(false);
    kv.writes = [];
    await publishCache(kv, store, rules);
    expect(kv.writes).toEqual([]);
  });

  test("of what KV does not take is left to the next time, and holds up nothing else", async () => {
    store.saveKeyring(ring);
    store.saveKeyring(ringOf("globex"));
    kv.refuses = (key) => key === "cache:keys:acme";
    await expect(publishCache(kv, store, rules)).rejects.toThrow("down");
    expect([...kv.values.keys()].toSorted()).toEqual(["cache:current", "cache:keys:globex"]);
    expect(isBehind(store, rules)).toBe(true);
    kv.refuses = () => false;
    kv.writes = [];
    await publishCache(kv, store, rules);
    expect(kv.writes).toEqual(["cache:keys:acme"]);
  });

  test.each([
    ["rotated", () => store.saveKeyring(rotatedKeyring(ring, 8, salt(3), 1))],
    ["destroyed", () => store.destroyKeyring("acme")],
  ])("a keyring that is %s while it is written is written again the next time", async (_how, change) => {
    store.saveKeyring(ring);
    kv.meanwhile = change;
    await publishCache(kv, store, emptyCacheState);
    expect(isBehind(store, emptyCacheState)).toBe(true);
    kv.meanwhile = () => undefined;
    await publishCache(kv, store, emptyCacheState);
    const left = kv.values.get("cache:keys:acme");
    expect(left === undefined ? undefined : JSON.parse(left)).toEqual(store.keyring("acme"));
    expect(isBehind(store, emptyCacheState)).toBe(false);
  });

  test("of more keyrings than one invocation may write is done in turns, which hold up no purge", async () => {
    for (let tenant = 0; tenant < 150; tenant++) store.saveKeyring(ringOf(`t${String(tenant).padStart(3, "0")}`));
    await publishCache(kv, store, rules);
    expect(isPublished(store, rules.number)).toBe(true);
    expect(isPublished(store, rules.number, "t000")).toBe(true);
    expect(isPublished(store, rules.number, "t149")).toBe(false);
    expect(isBehind(store, rules)).toBe(true);
    await publishCache(kv, store, rules);
    expect(isPublished(store, rules.number, "t149")).toBe(true);
    expect(isBehind(store, rules)).toBe(false);
  });
});

describe("a store that is opened again", () => {
  test("has the rules and keys as they were saved, change by change", () => {
    let state = emptyCacheState;
    const changes = [
      { kind: "set-policy", of: "model", name: "intent", policy: { ttl_s: 60 } },
      { kind: "set-policy", of: "tenant", name: "constructor", policy: { enabled: false } },
      { kind: "purge", purge: { tenant: "acme", tag: "a" } },
      { kind: "purge", purge: { tenant: "acme" } },
      { kind: "rotate-keys", tenant: "acme" },
      { kind: "set-policy", of: "model", name: "intent", policy: null },
    ] as const;
    for (const [i, change] of changes.entries()) {
      const step = cacheStep(state, change, i);
      if (!step.ok) throw new Error(JSON.stringify(step.fault));
      store.save(state, step.value.state);
      state = step.value.state;
      expect(new CacheStore(sql).load()).toEqual(state);
    }
    expect(Object.keys(state.purges)).toEqual(["tenant:acme"]);
  });

  test("has the changes as they were made: all policies and keys, and the purges among the last hundred thousand", () => {
    const row = { at: "2026-01-01T00:00:00.000Z", who: "operator", scope: "all", from: null, to: null };
    const kinds = ["purge", "set-policy", "purge", "purge", "rotate-keys", "purge"] as const;
    for (const [i, kind] of kinds.entries()) store.addAudit({ ...row, number: i + 1, kind }, 3);
    const rows = new CacheStore(sql).audit(100);
    expect(rows.map(({ number }) => number)).toEqual([2, 4, 5, 6]);
    expect(rows.at(-1)).toEqual({ ...row, number: 6, kind: "purge" });
    expect(new CacheStore(sql).audit(2).map(({ number }) => number)).toEqual([5, 6]);
  });

  test("knows a destroyed keyring no more", () => {
    store.saveKeyring(ring);
    expect(new CacheStore(sql).keyring("acme")).toEqual(ring);
    store.destroyKeyring("acme");
    expect(new CacheStore(sql).keyring("acme")).toBeUndefined();
  });
});
