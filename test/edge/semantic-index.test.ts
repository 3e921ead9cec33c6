import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { dimensions, entryOf, fill, find, first, indexOf, key, second, vectorOf } from "../support/semantic.ts";

/** The semantic index: a Durable Object, called as the gateway calls it. */

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());

describe("a semantic index", () => {
  test("finds the entries whose vectors are nearest, with prompt, slot and similarity", async () => {
    const index = await indexOf(edge, "nearest");
    await fill(index, [1, 2, 3, 4, 5]);
    const { candidates } = await find(index, 3);
    expect(candidates).toHaveLength(3);
    expect(candidates[0]).toMatchObject({ id: "entry-3", prompt: entryOf(3).prompt, slot: "answer:3" });
    expect(candidates[0]?.similarity).toBeGreaterThan(0.999);
    expect(candidates[1]?.similarity).toBeLessThan(0.9);
  });

  test("finds what words do not tell from the prompt, behind any number of nearer ones that they do, up to 32", async () => {
    const index = await indexOf(edge, "worded");
    const add = async (id: string, prompt: string) => {
      const entry = entryOf(1, { id, prompt, vector: vectorOf(1) });
      expect(await index.add({ keys: [first], entry, entriesMax: 100 })).toBe(true);
    };
    const ask = async (k: number) => {
      const { candidates } = await index.find({ keys: [first], vector: vectorOf(1), k, prompt: "send 7 letters" });
      return candidates.map(({ id }) => id);
    };
    for (let number = 10; number < 40; number++) await add(`${number}`, `send ${number} letters`);
    expect(await ask(3)).toEqual([]);
    await add("a", "send 7 letters");
    await add("b", "send seven letters");
    await add("beyond", "send 7 letters now");
    expect(await ask(1)).toEqual(["a"]);
    expect(await ask(3)).toEqual(["a", "b"]);
  });

  test("compares its rows in WebAssembly, whose memory has whole pages", async () => {
    const index = await indexOf(edge, "rows");
    await fill(index, [1]);
    const besideThem = 4_096 * 12;
    expect(((await index.size()).bytes - besideThem) % 65_536).toBe(0);
  });

  test("that nothing was added to is ready and finds nothing", async () => {
    const index = await indexOf(edge, "empty");
    expect(await find(index, 1)).toEqual({ ready: true, candidates: [], unreadable: 0 });
    await index.used("entry-1");
    expect(await index.remove("entry-1")).toBe(false);
    expect(await index.size()).toMatchObject({ entries: 0, loaded: 0, bytes: 0, unreadable: 0 });
  });

  test("knows nothing of another's entries", async () => {
    await fill(await indexOf(edge, "one tenant"), [1]);
    expect((await find(await indexOf(edge, "another tenant"), 1)).candidates).toEqual([]);
  });

  test("forgets an entry that is removed, at once", async () => {
    const index = await indexOf(edge, "removed");
    await fill(index, [1, 2]);
    expect(await index.remove("entry-1")).toBe(true);
    expect(await index.remove("entry-1")).toBe(false);
    expect((await find(index, 1)).candidates.map(({ id }) => id)).toEqual(["entry-2"]);
  });

  test("keeps one entry an id: the later one takes the place of the earlier", async () => {
    const index = await indexOf(edge, "replaced");
    await fill(index, [1, 2]);
    const entry = entryOf(1, { prompt: "said anew", vector: vectorOf(7) });
    expect(await index.add({ keys: [first], entry, entriesMax: 100 })).toBe(true);
    expect((await find(index, 7)).candidates[0]).toMatchObject({ id: "entry-1", prompt: "said anew" });
    expect((await index.size()).entries).toBe(2);
  });

  test("holds no more entries than it is told; the least used goes first", async () => {
    const index = await indexOf(edge, "bounded");
    await fill(index, [1, 2, 3], [first], 3);
    await index.used("entry-1");
    await index.used("entry-2");
    await fill(index, [4], [first], 3);
    expect(await index.size()).toMatchObject({ entries: 3, loaded: 3 });
    const { candidates } = await find(index, 3);
    expect(candidates.map(({ id }) => id).toSorted()).toEqual(["entry-1", "entry-2", "entry-4"]);
    await fill(index, [5], [first], 2);
    expect(await index.size()).toMatchObject({ entries: 2, loaded: 2 });
  });

  test("keeps nothing that has expired, is too long, is no direction, or has other dimensions", async () => {
    const index = await indexOf(edge, "refused");
    await fill(index, [1]);
    const refused = [
      { expiresAtMs: Date.now() - 1 },
      { prompt: "x".repeat(40_000) },
      { vector: new Float32Array(dimensions) },
      { vector: new Float32Array(dimensions).fill(Number.NaN) },
      { vector: vectorOf(2).slice(0, 256) },
    ];
    for (const more of refused) {
      expect(await index.add({ keys: [first], entry: entryOf(2, more), entriesMax: 10 })).toBe(false);
    }
    expect(await index.add({ keys: [first], entry: entryOf(2), entriesMax: 0 })).toBe(false);
    expect(await index.size()).toMatchObject({ entries: 1, loaded: 1 });
    expect(await index.find({ keys: [first], vector: vectorOf(2).slice(0, 256), k: 3 })).toMatchObject({
      candidates: [],
    });
  });

  test("never gives an expired entry, and deletes itself when its last one has expired", async () => {
    const index = await indexOf(edge, "expiring");
    const expiresAtMs = Date.now() + 1_500;
    expect(await index.add({ keys: [first], entry: entryOf(1, { expiresAtMs }), entriesMax: 10 })).toBe(true);
    await until("it is found no more", async () => (await find(index, 1)).candidates.length === 0);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAtMs);
    await until("it is gone", async () => (await index.size()).entries === 0);
    await fill(index, [2]);
    expect((await find(index, 2)).candidates.map(({ id }) => id)).toEqual(["entry-2"]);
  });

  test("opens entries with both keys while the tenant's key is rotated, and none when its key is gone", async () => {
    const index = await indexOf(edge, "rotated");
    await fill(index, [1], [first]);
    await fill(index, [2], [second, first]);
    expect((await find(index, 1, [second, first])).candidates.map(({ id }) => id)).toEqual(["entry-1", "entry-2"]);
    expect((await find(index, 1, [second])).candidates.map(({ id }) => id)).toEqual(["entry-2"]);
    expect((await find(index, 1, [key("k3", 3)])).candidates).toEqual([]);
    expect(await index.size()).toMatchObject({ entries: 2, unreadable: 0 });
  });

  test("drops and counts an entry that does not open when it is found, and says so in the log", async () => {
    const index = await indexOf(edge, "unopened");
    await fill(index, [1], [first]);
    expect(await find(index, 1, [key("k1", 9)])).toEqual({ ready: true, candidates: [], unreadable: 1 });
    expect(await index.size()).toMatchObject({ entries: 0, loaded: 0, unreadable: 1 });
    await until("it is in the log", () => edge.logs.some((line) => line.includes("does not open")));
  });
});
