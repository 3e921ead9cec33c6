import { beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryKeyrings, newKeyring } from "../../../../test/support/cache-isolate.ts";
import { type TenantKeys, Vault } from "./vault.ts";

const secret = "a-secret-of-at-least-32-characters";
const bytes = new TextEncoder().encode("an answer");
let keyrings: MemoryKeyrings;
let nowMs: number;

beforeEach(() => {
  keyrings = new MemoryKeyrings();
  nowMs = 1_700_000_000_000;
});

const vault = (deployment = secret) => new Vault({ secret: deployment, keyrings, nowMs: () => nowMs });

async function keysOf(tenant: string, atLeast = 0, from = vault()): Promise<TenantKeys> {
  const keys = await from.keysOf(tenant, atLeast);
  if (keys === undefined) throw new Error("no keys");
  return keys;
}

describe("names", () => {
  test("are the same in every isolate, and another tenant's, secret or salt gives others", async () => {
    const keys = await keysOf("acme");
    const name = await keys.name("what was asked");
    expect(name).toMatch(/^[0-9a-f]{32}$/);
    expect(await (await keysOf("acme")).name("what was asked")).toBe(name);
    expect(await keys.name("what was askeD")).not.toBe(name);
    const ring = keyrings.rings.get("acme") ?? newKeyring("acme", 0);
    keyrings.rings.set("other", { ...ring, tenant: "other" });
    expect(await (await keysOf("other")).name("what was asked")).not.toBe(name);
    expect(await (await keysOf("acme", 0, vault(`${secret}!`))).name("what was asked")).not.toBe(name);
    keyrings.rings.set("acme", newKeyring("acme", 0));
    expect(await (await keysOf("acme")).name("what was asked")).not.toBe(name);
  });
});

describe("a seal", () => {
  test("opens in its slot, in every isolate of the tenant", async () => {
    const sealed = await (await keysOf("acme")).slot("a", 3).seal(bytes);
    expect(await (await keysOf("acme")).slot("a", 3).open(sealed)).toEqual(bytes);
  });

  test("is another one each time, and tells nothing but format, key id and length", async () => {
    const slot = (await keysOf("acme")).slot("a", 0);
    const [one, other] = [await slot.seal(bytes), await slot.seal(bytes)];
    expect(one).not.toEqual(other);
    expect([...one.subarray(0, 5)]).toEqual([1, 0, 0, 0, 1]);
    expect(one.length).toBe(5 + 12 + bytes.length + 16);
  });

  test("does not open in another slot, epoch, tenant or deployment", async () => {
    const keys = await keysOf("acme");
    const sealed = await keys.slot("a", 0).seal(bytes);
    expect(await keys.slot("b", 0).open(sealed)).toBeUndefined();
    expect(await keys.slot("a", 1).open(sealed)).toBeUndefined();
    keyrings.rings.set("other", { ...(keyrings.rings.get("acme") ?? newKeyring("acme", 0)), tenant: "other" });
    expect(await (await keysOf("other")).slot("a", 0).open(sealed)).toBeUndefined();
    expect(await (await keysOf("acme", 0, vault(`${secret}!`))).slot("a", 0).open(sealed)).toBeUndefined();
  });

  test("does not open with any one bit flipped, or cut at any length", async () => {
    const slot = (await keysOf("acme")).slot("a", 0);
    const sealed = await slot.seal(bytes);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = sealed.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await slot.open(flipped), `bit ${bit}`).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(await slot.open(sealed.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
  });

  test("of before a rotation opens after it, and what is sealed then has the new key", async () => {
    const before = await keysOf("acme");
    const sealed = await before.slot("a", 0).seal(bytes);
    const ring = keyrings.rings.get("acme") ?? newKeyring("acme", 0);
    keyrings.rings.set("acme", { ...newKeyring("acme", 5, ring.sealing), naming: ring.naming });
    const after = await keysOf("acme", 5);
    expect(await after.name("x")).toBe(await before.name("x"));
    expect(await after.slot("a", 0).open(sealed)).toEqual(bytes);
    expect((await after.slot("a", 0).seal(bytes))[4]).toBe(2);
  });

  test("by a key that another isolate heard of first opens too: the keeper is asked, once a second", async () => {
    const shared = vault();
    const before = await keysOf("acme", 0, shared);
    const ring = keyrings.rings.get("acme") ?? newKeyring("acme", 0);
    keyrings.rings.set("acme", { ...newKeyring("acme", 5, ring.sealing), naming: ring.naming });
    const sealed = await (await keysOf("acme", 5)).slot("a", 0).seal(bytes);
    expect(await before.slot("a", 0).open(sealed)).toEqual(bytes);
    const foreign = sealed.slice();
    foreign[4] = 9;
    const { asked } = keyrings;
    for (let i = 0; i < 5; i++) expect(await before.slot("a", 0).open(foreign)).toBeUndefined();
    expect(keyrings.asked).toBe(asked);
    nowMs += 1_000;
    expect(await before.slot("a", 0).open(foreign)).toBeUndefined();
    expect(keyrings.asked).toBe(asked + 1);
  });

  test("of destroyed keys opens no more, and the entry's name is another one", async () => {
    const shared = vault();
    const before = await keysOf("acme", 0, shared);
    const sealed = await before.slot("a", 0).seal(bytes);
    const name = await before.name("x");
    keyrings.rings.delete("acme");
    const after = await keysOf("acme", 7, shared);
    expect(after.number).toBe(7);
    expect(await after.slot("a", 0).open(sealed)).toBeUndefined();
    expect(await after.name("x")).not.toBe(name);
  });
});

describe("keys", () => {
  test("are asked for once, and again only when they changed", async () => {
    const shared = vault();
    await keysOf("acme", 0, shared);
    await keysOf("acme", 0, shared);
    expect([keyrings.reads, keyrings.made_]).toEqual([1, 1]);
    await keysOf("acme", 3, shared);
    await keysOf("acme", 3, shared);
    expect([keyrings.reads, keyrings.made_]).toEqual([2, 2]);
  });

  test("that do not come are no keys: nobody waits longer than a second", async () => {
    vi.useFakeTimers();
    keyrings.silent = true;
    const waiting = vault().keysOf("acme", 0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toBeUndefined();
    vi.useRealTimers();
  });

  test("that cannot be had are no keys, and are asked for again a second later", async () => {
    keyrings.down = true;
    const shared = vault();
    expect(await shared.keysOf("acme", 0)).toBeUndefined();
    expect(await shared.keysOf("acme", 0)).toBeUndefined();
    expect(keyrings.reads).toBe(1);
    keyrings.down = false;
    nowMs += 1_000;
    expect(await shared.keysOf("acme", 0)).toBeDefined();
  });

  test("of many tenants are bounded: the least recently loaded go first", async () => {
    const shared = vault();
    for (let i = 0; i < 300; i++) await keysOf(`t${i}`, 0, shared);
    const { reads } = keyrings;
    await keysOf("t299", 0, shared);
    expect(keyrings.reads).toBe(reads);
    await keysOf("t0", 0, shared);
    expect(keyrings.reads).toBe(reads + 1);
  });

  test("cannot be read out", async () => {
    const keys = await keysOf("acme");
    expect(JSON.stringify(keys)).toBe('{"number":0}');
  });
});
