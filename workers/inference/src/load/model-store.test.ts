import { fail, ok, type PackageRef, packageManifest, type Result } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import type { FoundPackage } from "./find-package.ts";
import type { Runtime } from "./hosts.ts";
import { ModelStore, type Served, type StorePorts } from "./model-store.ts";

const mib = 2 ** 20;

/** A package of so many bytes, with nothing in it. */
function packageOf(name: string, bytes: number): FoundPackage {
  const file = { path: "model.onnx", bytes, sha256: "0".repeat(64) };
  const about = { version: "1", task: "tensor", description: "", licence: "", tiers: ["edge"], limits: {} };
  return {
    manifest: packageManifest.parse({ name, file, inputs: [], outputs: [], ...about }),
    files: new Map(),
    read: async () => ok(new Uint8Array()),
    release: () => undefined,
  };
}

const refOf = (model: string): PackageRef => ({ model, version: "1", digest: model });

interface FakeModel extends Served {
  closed: boolean;
}

/** A store over runtimes that grow by what they open, a clock that waiting moves, and packages by name. */
function storeOf(sizesMib: Readonly<Record<string, number>>, more: Partial<StorePorts<FakeModel>> = {}) {
  let clockMs = 0;
  const runtimes: { heap: number; broken: boolean; opened: number }[] = [];
  const find = async ({ model }: PackageRef): Promise<Result<FoundPackage>> =>
    sizesMib[model] === undefined ? fail("model_not_found") : ok(packageOf(model, sizesMib[model] * mib));
  function startRuntime(): Runtime {
    const state = { heap: 16 * mib, broken: false, opened: 0 };
    runtimes.push(state);
    return {
      heapBytes: () => state.heap,
      isBroken: () => state.broken,
      open: async () => {
        state.opened++;
        return { run: async () => ok({}), release: async () => undefined };
      },
    };
  }
  const store = new ModelStore<FakeModel>({
    find,
    startRuntime,
    serve: () => {
      const model = {
        isIdle: true,
        closed: false,
        settle: async () => undefined,
        close() {
          model.closed = true;
        },
      };
      return ok(model);
    },
    memoryBytesMax: 96 * mib,
    alone: (work) => work(),
    now: () => clockMs,
    wait: async (ms) => {
      clockMs += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
    ...more,
  });
  const names = () => store.loaded.map(({ ref }) => ref.model);
  function pass(ms: number) {
    clockMs += ms;
  }
  return { store, runtimes, names, pass };
}

describe("the store of models", () => {
  test("loads a model at its first call and once, however many come together", async () => {
    const { store, runtimes } = storeOf({ a: 1 });
    const models = await Promise.all([1, 2, 3].map(() => store.get(refOf("a"))));
    expect(new Set(models.map((model) => model.ok && model.value)).size).toBe(1);
    expect(runtimes.map(({ opened }) => opened)).toEqual([1]);
  });

  test("keeps small models in one runtime and gives a large one its own", async () => {
    const { store, runtimes } = storeOf({ a: 1, b: 2, large: 20 });
    for (const name of ["a", "b", "large"]) expect((await store.get(refOf(name))).ok).toBe(true);
    expect(runtimes.map(({ opened }) => opened)).toEqual([2, 1]);
  });

  test("gives a runtime back with the last of its models", async () => {
    const { store } = storeOf({ a: 1, large: 20 });
    for (const name of ["a", "large"]) await store.get(refOf(name));
    expect(store.heapBytes).toBe(32 * mib);
    expect(await store.unload("large")).toBe(true);
    expect(store.heapBytes).toBe(16 * mib);
    expect(await store.unload("a")).toBe(true);
    expect(store.heapBytes).toBe(0);
  });

  test("tells everyone who waited for a load why it failed, and tries again for the next caller", async () => {
    let tries = 0;
    const find = async ({ model }: PackageRef): Promise<Result<FoundPackage>> => {
      await new Promise((resolve) => setImmediate(resolve));
      return ++tries === 1 ? fail("model_not_ready", { cause: "torn" }) : ok(packageOf(model, 1));
    };
    const { store, pass } = storeOf({}, { find });
    const waiting = [1, 2, 3].map(() => store.get(refOf("a")));
    pass(1);
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ fault: { cause: "torn" } });
    expect(tries).toBe(1);
    expect((await store.get(refOf("a"))).ok).toBe(true);
  });

  test("carries on when the caller that was loading went away in the middle of it", async () => {
    let tries = 0;
    const find = ({ model }: PackageRef): Promise<Result<FoundPackage>> =>
      ++tries === 1 ? new Promise(() => {}) : Promise.resolve(ok(packageOf(model, 1)));
    const { store } = storeOf({}, { find });
    void store.get(refOf("a"));
    expect((await store.get(refOf("a"))).ok).toBe(true);
  });

  test("replaces a runtime that trapped: its models are loaded again at their next call", async () => {
    const { store, runtimes, names } = storeOf({ a: 1, b: 1 });
    for (const name of ["a", "b"]) await store.get(refOf(name));
    for (const runtime of runtimes) runtime.broken = true;
    store.tidy();
    expect(names()).toEqual([]);
    expect((await store.get(refOf("b"))).ok).toBe(true);
    expect(runtimes.map(({ opened }) => opened)).toEqual([2, 1]);
  });

  test("puts the least recently used away when a run made a runtime outgrow the budget", async () => {
    const { store, runtimes, names } = storeOf({ a: 10, b: 10 });
    for (const name of ["a", "b", "a"]) await store.get(refOf(name));
    for (const runtime of runtimes) runtime.heap = 60 * mib;
    store.tidy();
    expect(names()).toEqual(["a"]);
  });

  test("lets nobody go for a model that only usage asks for", async () => {
    const { store, runtimes, names } = storeOf({ a: 20, b: 20 });
    await store.get(refOf("a"));
    for (const runtime of runtimes) runtime.heap = 60 * mib;
    expect(await store.get(refOf("b"), false)).toMatchObject({ fault: { code: "overloaded" } });
    expect(names()).toEqual(["a"]);
  });
});
