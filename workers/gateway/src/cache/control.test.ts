import { fail, ok, type Result } from "@ledge/contract";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ask, CacheWorld } from "../../../../test/support/cache-isolate.ts";
import { RoomsBySlot } from "../flight-rooms.ts";
import type { AnswerCache } from "./answers.ts";
import { RoomFlights } from "./flight/flights.ts";
import type { FlightRooms } from "./ports.ts";

let world: CacheWorld;
let cache: AnswerCache;
beforeEach(() => {
  world = new CacheWorld();
  cache = world.isolate();
});

describe("a caller", () => {
  test("that takes only what is cached gets 504 when nothing is, and nobody is asked", async () => {
    const call = world.call({}, { onlyIfCached: true });
    expect(await ask(cache, call)).toMatchObject({ result: { fault: { code: "not_cached" } }, worked: 0 });
    await ask(cache, world.call());
    expect(await ask(cache, call)).toMatchObject({ result: ok("made"), worked: 0 });
    world.rules.state = { ...world.rules.state, number: 1, models: { m: { enabled: false } } };
    world.nowMs += 2_000;
    expect(await ask(cache, call)).toMatchObject({ result: { fault: { code: "not_cached" } }, worked: 0 });
  });

  test("that takes only what is cached has nobody asked behind a stale answer", async () => {
    world.policy = { ttl_s: 60, stale_while_revalidate_s: 60 };
    cache = world.isolate();
    await ask(cache, world.call());
    world.nowMs += 61_000;
    await world.settle();
    const { outcome, worked } = await ask(cache, world.call({}, { onlyIfCached: true }));
    await world.settle();
    expect(outcome).toMatchObject({ kind: "hit", stale: "stale-while-revalidate" });
    expect(worked).toBe(0);
  });

  test("says how long the answer to a call is fresh, up to the policy's bound, and above it is refused", async () => {
    await ask(cache, world.call({}, { ttlS: 5 }));
    expect((await ask(cache, world.call())).outcome).toMatchObject({ kind: "hit", ttlS: 5 });
    world.nowMs += 5_000;
    expect((await ask(cache, world.call())).worked).toBe(1);
    world.rules.state = { ...world.rules.state, number: 1, tenants: { acme: { ttl_s_max: 100 } } };
    world.nowMs += 2_000;
    const refused = await ask(cache, world.call({}, { ttlS: 101 }));
    expect(refused).toMatchObject({ result: { fault: { code: "invalid_header" } }, worked: 0 });
    expect((await ask(cache, world.call({}, { ttlS: 100 }))).result.ok).toBe(true);
  });

  test("has sampled answers kept and looked up only by saying for how long", async () => {
    const sampled = (ttlS?: number) =>
      ask(cache, world.call({}, ttlS === undefined ? {} : { ttlS }, { sampled: true }));
    expect(await sampled()).toMatchObject({ worked: 1, outcome: { why: "bypass", stored: false } });
    expect(await sampled()).toMatchObject({ worked: 1 });
    expect(await sampled(30)).toMatchObject({ worked: 1, outcome: { why: "miss", stored: true } });
    expect(await sampled(30)).toMatchObject({ worked: 0, outcome: { kind: "hit" } });
    expect(await sampled()).toMatchObject({ worked: 1 });
  });

  test("with a partition of its own gets no answer of another, and another prompt's never", async () => {
    const of = (partition: string, input = "the question") =>
      ask(cache, world.call({ input }, { partition }), ok(`${partition}/${input}`));
    await of("a");
    expect(await of("b")).toMatchObject({ worked: 1 });
    expect(await of("a", "another question")).toMatchObject({ worked: 1, result: ok("a/another question") });
    expect(await of("a")).toMatchObject({ worked: 0, result: ok("a/the question") });
    expect((await ask(cache, world.call())).worked).toBe(1);
  });

  test("that wants an answer to stay fresh for longer than any does takes what its equals are making", async () => {
    const nowMs = () => world.nowMs;
    const rooms = new RoomsBySlot(nowMs, 0);
    const join = vi.fn<FlightRooms["join"]>((slot, waiter) => rooms.join(slot, waiter));
    world.flights = new RoomFlights({ rooms: { join }, nowMs });
    cache = world.isolate();
    let make = (_answer: Result<string>) => {};
    const made = new Promise<Result<string>>((resolve) => {
      make = resolve;
    });
    const calls = [1, 2].map(() => ask(cache, world.call({}, { minFreshS: 100 }), () => made));
    await vi.waitFor(() => expect(join).toHaveBeenCalledTimes(2));
    world.nowMs += 5;
    make(ok("made"));
    const got = await Promise.all(calls);
    expect(got.map(({ result }) => result)).toEqual([ok("made"), ok("made")]);
    expect(got.map(({ worked }) => worked).toSorted()).toEqual([0, 1]);
  });

  test("of another tenant never gets the answer, in memory or in KV", async () => {
    await ask(cache, world.call(), ok("acme's"));
    await world.settle();
    for (const isolate of [cache, world.isolate()]) {
      expect(await ask(isolate, world.call({ tenant: "other" }), ok("other's"))).toMatchObject({
        result: ok("other's"),
      });
    }
  });
});

describe("a policy", () => {
  const set = (state: Partial<typeof world.rules.state>) => {
    world.rules.state = { ...world.rules.state, ...state, number: world.rules.state.number + 1 };
    world.nowMs += 2_000;
  };

  test("that switches the cache off for a model or a tenant does so within two seconds, and on again", async () => {
    await ask(cache, world.call());
    set({ models: { m: { enabled: false } } });
    expect(await ask(cache, world.call())).toMatchObject({ worked: 1, outcome: { why: "bypass", detail: "off" } });
    set({ models: {}, tenants: { acme: { enabled: false } } });
    expect(await ask(cache, world.call())).toMatchObject({ worked: 1 });
    set({ tenants: {} });
    expect(await ask(cache, world.call())).toMatchObject({ worked: 0 });
  });

  test("says what is too large to be kept", async () => {
    set({ models: { m: { entry_bytes_max: 20 } } });
    const large = await ask(cache, world.call(), ok("x".repeat(30)));
    expect(large).toMatchObject({ outcome: { why: "bypass", stored: false, detail: "too-large" } });
    const wide = await ask(cache, world.call(), ok("é".repeat(15)));
    expect(wide).toMatchObject({ outcome: { detail: "too-large" } });
    expect((await ask(cache, world.call(), ok("small"))).outcome).toMatchObject({ stored: true });
  });

  test("splits the cache by the headers that it names, and by no other", async () => {
    set({ models: { m: { vary: ["accept-language"] } } });
    const by = (headers: Readonly<Record<string, string>>) =>
      ask(cache, world.call({}, {}, { header: (name) => headers[name] ?? null }));
    expect((await by({ "accept-language": "de" })).worked).toBe(1);
    expect((await by({ "accept-language": "fr" })).worked).toBe(1);
    expect((await by({})).worked).toBe(1);
    expect((await by({ "accept-language": "de", "user-agent": "x" })).worked).toBe(0);
  });

  test("for a model or a tenant with the name of an object's own member is no policy", async () => {
    for (const name of ["constructor", "__proto__", "toString"]) {
      expect((await ask(cache, world.call({ model: name, tenant: name }))).outcome).toMatchObject({ stored: true });
    }
  });
});

describe("an entity tag", () => {
  test("is that of what is kept: the same from a tier, from memory and from KV, another for another answer", async () => {
    const made = await ask(cache, world.call());
    await world.settle();
    const tags = [made, await ask(cache, world.call()), await ask(world.isolate(), world.call())];
    expect(new Set(tags.map(({ outcome }) => outcome?.etag)).size).toBe(1);
    expect(made.outcome?.etag).toMatch(/^W\/"[A-Za-z0-9_-]{22}"$/);
    const other = await ask(cache, world.call({}, { lookup: false }), ok("another"));
    expect(other.outcome?.etag).not.toBe(made.outcome?.etag);
  });
});

describe("a stale answer", () => {
  beforeEach(() => {
    world.policy = { ttl_s: 60, stale_while_revalidate_s: 30, stale_if_error_s: 600 };
    cache = world.isolate();
  });

  test("is given while a fresh one is got behind it, once however many ask", async () => {
    await ask(cache, world.call(), ok("old"));
    world.nowMs += 61_000;
    const asked = await Promise.all(Array.from({ length: 20 }, () => ask(cache, world.call(), ok("new"))));
    for (const { result, outcome } of asked) {
      expect(result).toEqual(ok("old"));
      expect(outcome).toMatchObject({ kind: "hit", ttlS: -1, ageS: 61, stale: "stale-while-revalidate" });
    }
    await world.settle();
    expect(asked.reduce((sum, { worked }) => sum + worked, 0)).toBe(1);
    expect(await ask(cache, world.call())).toMatchObject({ result: ok("new"), outcome: { kind: "hit", ageS: 0 } });
  });

  test("is not given where another isolate has a fresh one kept in KV", async () => {
    await ask(cache, world.call(), ok("old"));
    await world.settle();
    world.nowMs += 61_000;
    await ask(world.isolate(), world.call({}, { lookup: false }), ok("new"));
    await world.settle();
    expect(await ask(cache, world.call())).toMatchObject({ result: ok("new"), worked: 0, outcome: { layer: "kv" } });
  });

  test("is given, and marked so, when whoever is asked fails, within the policy's window", async () => {
    await ask(cache, world.call(), ok("old"));
    world.nowMs += 100_000;
    for (const code of ["upstream_failed", "origin_unavailable", "deadline_exceeded", "overloaded"] as const) {
      const { result, outcome } = await ask(cache, world.call(), fail(code));
      expect(result).toEqual(ok("old"));
      expect(outcome).toMatchObject({ why: "stale", failed: { code, ttlS: -40, ageS: 100 } });
    }
    world.nowMs += 560_000;
    expect((await ask(cache, world.call(), fail("upstream_failed"))).result).toMatchObject({ ok: false });
  });

  test("is not given for a caller's own fault, nor to who says how fresh it must be", async () => {
    await ask(cache, world.call(), ok("old"));
    world.nowMs += 100_000;
    const asked = [
      ask(cache, world.call(), fail("invalid_request")),
      ask(cache, world.call({}, { maxAgeS: 30 }), fail("upstream_failed")),
      ask(cache, world.call({}, { lookup: false }), fail("upstream_failed")),
    ];
    for (const { result } of await Promise.all(asked)) expect(result.ok).toBe(false);
  });

  test("whose refresh fails is given on, and refreshed later", async () => {
    await ask(cache, world.call(), ok("old"));
    world.nowMs += 61_000;
    await ask(cache, world.call(), fail("upstream_failed"));
    await world.settle();
    expect(await ask(cache, world.call(), ok("new"))).toMatchObject({ result: ok("old"), worked: 0 });
    world.nowMs += 30_000;
    expect((await ask(cache, world.call(), fail("upstream_failed"))).result).toEqual(ok("old"));
  });

  test("is kept in KV for its time to live and the longer window", async () => {
    await ask(cache, world.call());
    await world.settle();
    expect([...world.bytes.keeps.values()]).toEqual([{ keepS: 660, freshUntilMs: world.nowMs + 60_000 }]);
  });
});
