import { fail, ok } from "@ledge/contract";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ask, CacheWorld, testDigests } from "../../../../test/support/cache-isolate.ts";

let world: CacheWorld;
beforeEach(() => {
  world = new CacheWorld();
});

describe("the answer cache", () => {
  test("hashes, opens and waits for nothing on a hit in memory", async () => {
    const one = world.isolate();
    await ask(one, world.call());
    await world.settle();
    const worked = [
      ...(["sign", "digest", "encrypt", "decrypt", "deriveKey"] as const).map((name) => vi.spyOn(crypto.subtle, name)),
      vi.spyOn(testDigests, "sha256Hex"),
      vi.spyOn(globalThis, "setTimeout"),
    ];
    expect((await ask(one, world.call())).outcome).toMatchObject({ kind: "hit", layer: "memory" });
    for (const spy of worked) expect(spy, spy.getMockName()).not.toHaveBeenCalled();
    await ask(one, world.call({ input: "another question" }));
    expect(worked.some((spy) => spy.mock.calls.length > 0)).toBe(true);
    vi.restoreAllMocks();
  });

  test("answers from memory without touching KV, rules, keys or a Durable Object, and another isolate from KV", async () => {
    const one = world.isolate();
    expect((await ask(one, world.call())).outcome).toMatchObject({ kind: "forward", why: "miss", stored: true });
    await world.settle();
    const { reads } = world.bytes;
    const [rules, keys] = [world.rules.reads, world.keyrings.reads];
    const again = await ask(one, world.call());
    expect(again).toMatchObject({
      result: ok("made"),
      worked: 0,
      outcome: { kind: "hit", layer: "memory", ttlS: 60, ageS: 0, id: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    expect([world.bytes.reads, world.rules.reads, world.keyrings.reads, world.behind.length]).toEqual([
      reads,
      rules,
      keys,
      0,
    ]);
    const other = world.isolate();
    expect((await ask(other, world.call())).outcome).toMatchObject({ kind: "hit", layer: "kv", ttlS: 60 });
    expect((await ask(other, world.call())).outcome).toMatchObject({ layer: "memory" });
  });

  test("works out no prompt where the semantic cache is off, nor for what it has", async () => {
    const one = world.isolate();
    const prompt = vi.fn(() => ({ text: "hello", context: "" }));
    await ask(one, world.call({}, {}, { prompt }));
    expect(prompt).not.toHaveBeenCalled();
    await ask(one, world.call({}, { semantic: true }, { prompt }));
    expect(prompt).not.toHaveBeenCalled();
    await ask(one, world.call({ input: "another" }, { semantic: true }, { prompt }));
    expect(prompt).toHaveBeenCalledOnce();
  });

  test("forgets at its time to live, in memory and in KV", async () => {
    const one = world.isolate();
    await ask(one, world.call());
    await world.settle();
    world.nowMs += 60_000;
    expect((await ask(one, world.call())).worked).toBe(1);
    world.nowMs += 60_000;
    expect((await ask(world.isolate(), world.call())).worked).toBe(1);
  });

  test("keeps nothing and reads nothing when the caller wishes so", async () => {
    const one = world.isolate();
    await ask(one, world.call({}, { lookup: false, store: false }));
    await world.settle();
    expect(world.bytes.kept.size).toBe(0);
    await ask(one, world.call());
    const fresh = await ask(one, world.call({}, { lookup: false }), ok("fresh"));
    expect(fresh).toMatchObject({ worked: 1, outcome: { why: "request", stored: true } });
    expect((await ask(one, world.call())).result).toEqual(ok("fresh"));
  });

  test("that cannot reach KV is a miss, never an error, and memory goes on", async () => {
    world.bytes.fails = "throws";
    const one = world.isolate();
    expect(await ask(one, world.call())).toMatchObject({ result: ok("made"), worked: 1 });
    await world.settle();
    expect(await ask(one, world.call())).toMatchObject({ result: ok("made"), worked: 0 });
  });

  test("tells no input, no answer and no tenant by what lies in KV", async () => {
    await ask(world.isolate(), world.call(), ok("the secret answer"));
    await world.settle();
    expect(world.bytes.kept.size).toBe(1);
    for (const [key, bytes] of world.bytes.kept) {
      expect(key).toMatch(/^answer:[0-9a-f]{32}:[0-9a-f]{32}:0$/);
      const stored = key + Buffer.from(bytes).toString("latin1");
      for (const clear of ["acme", "question", "secret"]) expect(stored).not.toContain(clear);
    }
  });

  test("keeps no failure", async () => {
    const one = world.isolate();
    const failed = await ask(one, world.call(), fail("upstream_failed"));
    expect(failed).toMatchObject({ result: { ok: false }, outcome: { why: "bypass", stored: false } });
    expect((await ask(one, world.call())).worked).toBe(1);
  });
});
