import { emptyRegistry, type Snapshot } from "@ledge/contract";
import { registryStep } from "@ledge/policy";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Catalog } from "./catalog.ts";
import type { SnapshotStore } from "./ports.ts";

const shipped = withVersions(0, "a");

/** A model `m` with these versions' digests. */
function withVersions(number: number, ...digests: readonly string[]): Snapshot {
  const state = digests.reduce((before, digest) => {
    const manifest = {
      name: "m",
      version: "1",
      task: "tensor" as const,
      description: "",
      licence: "none",
      file: { path: "model.onnx", bytes: 1, sha256: "0".repeat(64) },
      inputs: [],
      outputs: [],
      tiers: ["edge" as const],
      limits: {},
    };
    const step = registryStep(before, { kind: "register", manifest, digest, source: "store" }, 0);
    if (!step.ok) throw new Error(JSON.stringify(step.fault));
    return step.value.state;
  }, emptyRegistry);
  return { ...state, number };
}

class MemoryStore implements SnapshotStore {
  latest: number | undefined;
  readonly snapshots = new Map<number, unknown>();
  looks = 0;
  broken = false;
  hanging = false;
  gate: Promise<void> = Promise.resolve();

  publish(snapshot: Snapshot): void {
    this.snapshots.set(snapshot.number, snapshot);
    this.latest = snapshot.number;
  }
  async current() {
    this.looks++;
    if (this.hanging) await new Promise(() => undefined);
    await this.gate;
    if (this.broken) throw new Error("down");
    return this.latest;
  }
  async snapshot(number: number) {
    return this.snapshots.get(number) ?? null;
  }
}

let store: MemoryStore;
let nowMs: number;
let said: string[];
let woken: boolean[];
let behind: Promise<unknown>[];
/** What the registry itself says it is. */
let registry: Snapshot | undefined;
let catalog: Catalog;

beforeEach(() => {
  vi.useRealTimers();
  store = new MemoryStore();
  nowMs = 1_000_000;
  [said, woken, behind] = [[], [], []];
  registry = undefined;
  catalog = new Catalog({
    shipped,
    store,
    registry: {
      newerThan: async () => {
        if (registry === undefined) throw new Error("down");
        return registry;
      },
      wake: async (unpublished) => {
        woken.push(unpublished);
      },
    },
    say: (what) => said.push(what),
    nowMs: () => nowMs,
  });
});

const background = (work: Promise<unknown>) => {
  behind.push(work);
};
const number = async () => (await catalog.view(background)).snapshot.number;
const settled = async () => {
  await Promise.all(behind.splice(0));
};

describe("an isolate", () => {
  test("answers by what was deployed with it until something is published, and has the registry told", async () => {
    expect(await number()).toBe(0);
    expect(woken).toEqual([true]);
  });

  test("has the registry told when it lacks what is shipped, once a minute at most", async () => {
    store.publish(withVersions(3, "other"));
    for (let second = 0; second < 30; second++, nowMs += 5_000) await number();
    expect(woken).toEqual([false, false, false]);
  });

  test("knows the published snapshot before it answers its first call", async () => {
    store.publish(withVersions(7, "a", "b"));
    expect(await number()).toBe(7);
  });

  test("has every call wait for its first look, which may take longer than later ones", async () => {
    vi.useFakeTimers();
    store.publish(withVersions(7, "a", "b"));
    store.gate = new Promise((resolve) => setTimeout(resolve, 1_000));
    const calls = [number(), number()];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await Promise.all(calls)).toEqual([7, 7]);
  });

  test("looks once a second at most while calls come in quick succession", async () => {
    store.publish(withVersions(7, "a"));
    for (let call = 0; call < 1_000; call++, nowMs += 10) {
      await number();
      await settled();
    }
    expect(store.looks).toBeLessThanOrEqual(11);
  });

  test("sees a change within a second while calls come, and at once after a pause", async () => {
    store.publish(withVersions(7, "a"));
    await number();
    store.publish(withVersions(8, "a", "b"));
    nowMs += 1_000;
    await number();
    await settled();
    expect(await number()).toBe(8);
    store.publish(withVersions(9, "a", "b"));
    nowMs += 3_000;
    expect(await number()).toBe(9);
  });

  test("never goes back to an older snapshot", async () => {
    store.publish(withVersions(7, "a"));
    await number();
    registry = withVersions(9, "a");
    await catalog.catchUp();
    store.publish(withVersions(8, "a"));
    nowMs += 60_000;
    expect(await number()).toBe(9);
    registry = withVersions(5, "a");
    await catalog.catchUp();
    expect(await number()).toBe(9);
  });

  test("catches up with the registry itself, before anything is published", async () => {
    store.publish(withVersions(7, "a"));
    await number();
    registry = withVersions(8, "a", "b");
    await catalog.catchUp();
    expect(await number()).toBe(8);
  });

  test("goes on with what it knows when the registry cannot be asked, and says so", async () => {
    store.publish(withVersions(7, "a"));
    await number();
    await catalog.catchUp();
    expect(await number()).toBe(7);
    expect(said).toHaveLength(1);
  });

  test.each([
    ["is no snapshot", { number: 8, models: 1 }],
    ["is not there yet", null],
    ["is another than its number says", withVersions(6, "a")],
  ])("goes on with its own when what is published %s, and says so", async (_what, value) => {
    store.publish(withVersions(7, "a"));
    await number();
    store.snapshots.set(8, value);
    store.latest = 8;
    nowMs += 5_000;
    expect(await number()).toBe(7);
    expect(said).toHaveLength(1);
    store.publish(withVersions(8, "a"));
    nowMs += 5_000;
    expect(await number()).toBe(8);
  });

  test("goes on with its own when the store is down, without asking it for every call, and comes back", async () => {
    store.publish(withVersions(7, "a"));
    await number();
    store.publish(withVersions(8, "a"));
    store.broken = true;
    const before = store.looks;
    for (let call = 0; call < 1_000; call++, nowMs += 10) expect(await number()).toBe(7);
    expect(store.looks - before).toBeLessThanOrEqual(11);
    store.broken = false;
    nowMs += 1_000;
    await number();
    await settled();
    expect(await number()).toBe(8);
  });

  test("waits a quarter of a second at most for a store that hangs, then goes on with its own", async () => {
    store.publish(withVersions(7, "a"));
    await number();
    vi.useFakeTimers();
    store.hanging = true;
    nowMs += 10_000;
    const waiting = number();
    await vi.advanceTimersByTimeAsync(250);
    expect(await waiting).toBe(7);
    expect(await number()).toBe(7);
  });
});
