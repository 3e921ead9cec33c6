import { ok } from "@ledge/contract";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ask, CacheWorld, newKeyring } from "../../../../test/support/cache-isolate.ts";
import type { AnswerCache } from "./answers.ts";

let world: CacheWorld;
let cache: AnswerCache;
beforeEach(() => {
  world = new CacheWorld();
  cache = world.isolate();
});

/** Keeps an answer, purges a scope, and tells whether the isolate that kept it and a fresh one still have it. */
async function outlives(scope: (id: string) => string): Promise<boolean[]> {
  const { outcome } = await ask(cache, world.call({}, { tags: ["a", "b"] }));
  await world.settle();
  world.rules.purge(scope(outcome?.id ?? ""));
  world.nowMs += 2_000;
  const asked = [
    await ask(cache, world.call({}, { onlyIfCached: true })),
    await ask(world.isolate(), world.call({}, { onlyIfCached: true })),
  ];
  return asked.map(({ result }) => result.ok);
}

describe("a purge", () => {
  test.each([
    ["everything", () => "all"],
    ["the tenant", () => "tenant:acme"],
    ["the model", () => "model:m"],
    ["the version", () => "version:m@1"],
    ["a tag", () => "tag:acme:b"],
    ["the entry", (id: string) => `key:acme:${id}`],
  ])("of %s is effective in every isolate within two seconds, and lists nothing", async (_what, scope) => {
    expect(await outlives(scope)).toEqual([false, false]);
    expect((await ask(cache, world.call())).worked).toBe(1);
    await world.settle();
    expect((await ask(world.isolate(), world.call())).worked).toBe(0);
  });

  test.each(["tenant:other", "model:n", "version:m@2", "tag:acme:c", "tag:other:b", `key:acme:${"0".repeat(32)}`])(
    "of %s leaves all others",
    async (scope) => {
      expect(await outlives(() => scope)).toEqual([true, true]);
    },
  );

  test("takes what was in flight when it came", async () => {
    await ask(cache, world.call(), async () => {
      world.rules.purge("all");
      world.nowMs += 2_500;
      await ask(cache, world.call({ input: "another" }));
      return ok("from before the purge");
    });
    await world.settle();
    expect((await ask(cache, world.call())).worked).toBe(1);
    expect((await ask(world.isolate(), world.call())).worked).toBe(0);
  });

  test("by a tag is not undone by waiting for a call that began before it", async () => {
    const slots: string[] = [];
    world.flights = {
      ...world.flights,
      whole: async ({ slot, signal }, work) => {
        slots.push(slot);
        return { result: await work(signal), collapsed: false };
      },
    };
    cache = world.isolate();
    for (const scope of ["tag:other:a", "tag:acme:a"]) {
      await ask(cache, world.call({ input: "asked again" }, { maxAgeS: 0 }));
      world.rules.purge(scope);
      world.nowMs += 2_000;
    }
    await ask(cache, world.call({ input: "asked again" }, { maxAgeS: 0 }));
    expect(slots[1]).toBe(slots[0]);
    expect(slots[2]).not.toBe(slots[0]);
  });

  test("is not taken back by an older state of the store", async () => {
    const before = world.rules.state;
    await ask(cache, world.call());
    world.rules.purge("all");
    world.nowMs += 2_000;
    expect((await ask(cache, world.call())).worked).toBe(1);
    world.rules.state = before;
    world.nowMs += 2_000;
    expect((await ask(cache, world.call(), ok("again"))).result).toEqual(ok("made"));
    await world.settle();
  });
});

describe("rules", () => {
  test("that cannot be read serve for a minute, after which the cache is passed by, until they can be", async () => {
    await ask(cache, world.call());
    world.rules.down = true;
    for (let second = 0; second < 58; second += 2) {
      world.nowMs += 2_000;
      await ask(cache, world.call());
      await world.settle();
    }
    world.policy = { ttl_s: 3600 };
    expect((await ask(cache, world.call({ input: "other" }))).outcome).toMatchObject({ stored: true });
    world.nowMs += 4_000;
    await ask(cache, world.call());
    expect(await ask(cache, world.call())).toMatchObject({
      worked: 1,
      outcome: { why: "bypass", detail: "rules-unknown" },
    });
    world.rules.down = false;
    world.nowMs += 4_000;
    expect((await ask(cache, world.call())).outcome).toMatchObject({ stored: true });
  });

  test("that an isolate never read let it pass the cache by", async () => {
    world.rules.down = true;
    expect(await ask(world.isolate(), world.call())).toMatchObject({
      result: ok("made"),
      outcome: { why: "bypass", detail: "rules-unknown" },
    });
  });

  test("that can be read again are known within two seconds, whenever they last could not be", async () => {
    await ask(cache, world.call());
    world.rules.down = true;
    world.nowMs += 5_000;
    await ask(cache, world.call());
    await world.settle();
    world.rules.down = false;
    world.rules.purge("all");
    world.nowMs += 2_000;
    expect((await ask(cache, world.call())).worked).toBe(1);
  });

  test("are not taken to be unchanged when a keyring of the same number lies in their place", async () => {
    await ask(cache, world.call());
    world.rules.state = newKeyring("acme", 0) as unknown as typeof world.rules.state;
    for (let second = 0; second < 62; second += 2) {
      world.nowMs += 2_000;
      await ask(cache, world.call());
      await world.settle();
    }
    expect((await ask(cache, world.call())).outcome).toMatchObject({ why: "bypass", detail: "rules-unknown" });
  });

  test("that are malformed are not taken", async () => {
    await ask(cache, world.call());
    world.rules.state = { number: 9 } as typeof world.rules.state;
    world.nowMs += 2_000;
    expect((await ask(cache, world.call())).worked).toBe(0);
  });
});

describe("what lies in KV", () => {
  const slots = () => [...world.bytes.kept.keys()];

  test("that was swapped with another entry's is a miss and an alarm, not an answer", async () => {
    await ask(cache, world.call({ input: "one" }), ok("one's"));
    await ask(cache, world.call({ input: "other" }), ok("other's"));
    await world.settle();
    const [a = "", b = ""] = slots();
    const [bytesA, bytesB] = [world.bytes.kept.get(a), world.bytes.kept.get(b)];
    if (bytesA === undefined || bytesB === undefined) throw new Error("not kept");
    world.bytes.kept.set(a, bytesB).set(b, bytesA);
    for (const input of ["one", "other"]) {
      const asked = await ask(world.isolate(), world.call({ input }), ok("made anew"));
      expect(asked).toMatchObject({ result: ok("made anew"), worked: 1, outcome: { why: "miss", unsealed: true } });
    }
  });

  test("with a flipped bit, cut, empty or foreign is a miss and an alarm", async () => {
    await ask(cache, world.call());
    await world.settle();
    const [slot = ""] = slots();
    const sealed = world.bytes.kept.get(slot) ?? new Uint8Array();
    const flipped = sealed.slice();
    flipped[30] = (flipped[30] ?? 0) ^ 4;
    for (const bytes of [flipped, sealed.subarray(0, 20), new Uint8Array(), new TextEncoder().encode('{"a":1}')]) {
      world.bytes.kept.set(slot, bytes);
      const asked = await ask(world.isolate(), world.call());
      expect(asked).toMatchObject({ worked: 1, outcome: { unsealed: true } });
      await world.settle();
    }
  });

  test("as a tenant's keys but is another's is not taken and an alarm, whether the keeper can be asked instead or not", async () => {
    for (const tenant of ["acme", "other"]) await ask(cache, world.call({ tenant }));
    await world.settle();
    const kept = new Set(world.bytes.kept.keys());
    const theirs = world.keyrings.rings.get("other") ?? newKeyring("other", 0);
    vi.spyOn(world.keyrings, "published").mockImplementation(async () => theirs);
    expect(await ask(world.isolate(), world.call())).toMatchObject({
      worked: 0,
      outcome: { kind: "hit", unsealed: true },
    });
    world.keyrings.down = true;
    const asked = await ask(world.isolate(), world.call());
    expect(asked).toMatchObject({ worked: 1, outcome: { detail: "keys-unknown", unsealed: true } });
    await world.settle();
    expect(new Set(world.bytes.kept.keys())).toEqual(kept);
  });

  test("opens no more, in KV and in memory, once the tenant's keys are destroyed; other tenants' does", async () => {
    for (const tenant of ["acme", "other"]) await ask(cache, world.call({ tenant }));
    await world.settle();
    const kept = new Map(world.bytes.kept);
    world.keyrings.rings.delete("acme");
    world.rules.state = { ...world.rules.state, number: 1, keys: { acme: 1 } };
    world.nowMs += 2_000;
    for (const isolate of [cache, world.isolate()]) {
      const gone = await ask(isolate, world.call({}, { onlyIfCached: true }));
      expect(gone.result).toMatchObject({ fault: { code: "not_cached" } });
      expect((await ask(isolate, world.call({ tenant: "other" }))).worked).toBe(0);
    }
    await ask(cache, world.call());
    await world.settle();
    expect([...world.bytes.kept.keys()].filter((slot) => !kept.has(slot))).toHaveLength(1);
  });

  test("answers on after a rotation, and what is kept then has the new key", async () => {
    await ask(cache, world.call());
    await world.settle();
    const ring = world.keyrings.rings.get("acme") ?? newKeyring("acme", 0);
    world.keyrings.rings.set("acme", { ...newKeyring("acme", 1, ring.sealing), naming: ring.naming });
    world.rules.state = { ...world.rules.state, number: 1, keys: { acme: 1 } };
    world.nowMs += 2_000;
    expect(await ask(cache, world.call())).toMatchObject({ worked: 0, outcome: { layer: "kv" } });
    expect(await ask(cache, world.call())).toMatchObject({ worked: 0, outcome: { layer: "memory" } });
    await ask(cache, world.call({ input: "new" }));
    await world.settle();
    expect([...world.bytes.kept.values()].map((bytes) => bytes[4])).toEqual([1, 2]);
  });

  test("is not waited for when KV is silent: a miss", async () => {
    await ask(cache, world.call());
    await world.settle();
    world.bytes.fails = "hangs";
    const call = world.call();
    expect(await ask(world.isolate(), call)).toMatchObject({ worked: 1, result: ok("made") });
  });

  test("is passed by while the tenant's keys cannot be had", async () => {
    world.keyrings.down = true;
    expect(await ask(world.isolate(), world.call())).toMatchObject({
      result: ok("made"),
      outcome: { why: "bypass", detail: "keys-unknown" },
    });
    expect(world.bytes.reads).toBe(0);
  });
});
