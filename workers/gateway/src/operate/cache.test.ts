import { type CacheChange, emptyCacheState, fail, ok, type RegisteredModel } from "@ledge/contract";
import { expect, test } from "vitest";
import { type CacheDesk, changeKeys, purgeCache, setCachePolicy, showCache, statusOf } from "./cache.ts";

const words = { name: "words", versions: [{ version: "1" }] } as unknown as RegisteredModel;

/** A desk whose keeper takes every change, unless it or the registry cannot be reached. */
function deskOf({ keeper = true, registry = true, published = true } = {}) {
  const changes: CacheChange[] = [];
  const reached = async <T>(there: boolean, value: T) => {
    if (!there) throw new Error("not reached");
    return value;
  };
  const desk = {
    keeper: {
      change: async (change: CacheChange) => {
        await reached(keeper, true);
        changes.push(change);
        return ok({ number: 1, changed: true, published });
      },
      state: () => reached(keeper, emptyCacheState),
      changes: () => reached(keeper, []),
      keys: () => reached(keeper, []),
    },
    registry: { snapshot: () => reached(registry, { number: 1, models: { words } }) },
    defaults: { enabled: true },
  } as unknown as CacheDesk;
  return { desk, changes };
}

const words1 = { of: "model", name: "words" } as const;

test("a keeper that cannot be reached is said by its code, whatever is asked of it", async () => {
  const { desk } = deskOf({ keeper: false });
  const fault = fail("cache_keeper_unavailable", { cause: "Error: not reached" });
  expect(await showCache(desk)).toEqual(fault);
  expect(await purgeCache({ all: true }, desk)).toEqual(fault);
  expect(await setCachePolicy(words1, { ttl_s: 60 }, desk)).toEqual(fault);
  expect(await changeKeys("destroy-keys", "acme", desk)).toEqual(fault);
});

test("without the registry nothing of a model is changed, and all else is", async () => {
  const { desk, changes } = deskOf({ registry: false });
  const fault = fail("registry_unavailable", { cause: "Error: not reached" });
  expect(await setCachePolicy(words1, { ttl_s: 60 }, desk)).toEqual(fault);
  expect(await purgeCache({ model: "words" }, desk)).toEqual(fault);
  expect(changes).toEqual([]);
  expect(await purgeCache({ tenant: "acme" }, desk)).toMatchObject({ ok: true });
  expect(await setCachePolicy({ of: "tenant", name: "acme" }, { ttl_s: 60 }, desk)).toMatchObject({ ok: true });
  expect(changes.map(({ kind }) => kind)).toEqual(["purge", "set-policy"]);
});

test("a change that gateways can read is a 200, one that they soon can a 202", async () => {
  for (const [published, status] of [
    [true, 200],
    [false, 202],
  ] as const) {
    const done = await purgeCache({ all: true }, deskOf({ published }).desk);
    expect(done.ok && statusOf(done.value)).toBe(status);
  }
});
