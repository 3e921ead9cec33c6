import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";

/** The semantic index: a Durable Object, called as the gateway calls it. */

interface Key {
  readonly id: string;
  readonly bytes: Uint8Array;
}

interface Candidate {
  readonly id: string;
  readonly similarity: number;
  readonly prompt: string;
  readonly slot: string;
}

interface Index {
  find(ask: { keys: Key[]; vector: Float32Array; k: number }): Promise<{
    ready: boolean;
    candidates: Candidate[];
    unreadable: number;
  }>;
  add(kept: { keys: Key[]; entry: object; entriesMax: number }): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  used(id: string): Promise<void>;
  size(): Promise<{ entries: number; loaded: number; bytes: number; unreadable: number }>;
}

const key = (id: string, fill: number): Key => ({ id, bytes: new Uint8Array(32).fill(fill) });
const first = key("k1", 1);
const second = key("k2", 2);
const hourMs = 3_600_000;
const dimensions = 384;

/** A unit vector: the same number gives the same one, and different ones lie far apart. */
function vectorOf(number: number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, (_, i) => Math.sin((number + 1) * 12.9898 * (i + 1)));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const entryOf = (number: number, more = {}) => ({
  id: `entry-${number}`,
  prompt: `what is the secret of number ${number}`,
  slot: `answer:${number}`,
  vector: vectorOf(number),
  expiresAtMs: Date.now() + hourMs,
  ...more,
});

async function indexOf(edge: TestEdge, name: string): Promise<Index> {
  const indexes = await edge.miniflare.getDurableObjectNamespace("SEMANTIC_INDEX", "ledge-gateway");
  return indexes.get(indexes.idFromName(name)) as unknown as Index;
}

async function fill(index: Index, numbers: readonly number[], keys = [first], entriesMax = 1_000): Promise<void> {
  for (const number of numbers) expect(await index.add({ keys, entry: entryOf(number), entriesMax })).toBe(true);
}

/** Asks until the index is ready. */
async function find(index: Index, number: number, keys = [first], k = 3) {
  let answer = await index.find({ keys, vector: vectorOf(number), k });
  await until("the index is ready", async () => {
    if (!answer.ready) answer = await index.find({ keys, vector: vectorOf(number), k });
    return answer.ready;
  });
  return answer;
}

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

describe("on disk", () => {
  /** A directory of state; the edge on it is started anew by `again`, which is what an evicted object is like. */
  async function persisted(work: (dir: string) => Promise<void>): Promise<void> {
    const dir = mkdtempSync(join(tmpdir(), "ledge-semantic-"));
    try {
      await work(dir);
    } finally {
      rmSync(dir, { recursive: true });
    }
  }

  async function during<T>(dataDir: string, work: (edge: TestEdge) => Promise<T>): Promise<T> {
    const edge = await startEdge({ dataDir });
    try {
      return await work(edge);
    } finally {
      await edge.close();
    }
  }

  function filesUnder(dir: string): string[] {
    const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  }

  /** The database of the one index that was written to. */
  function databaseUnder(dir: string): DatabaseSync {
    for (const path of filesUnder(dir).filter((path) => path.includes("SemanticIndex") && path.endsWith(".sqlite"))) {
      const database = new DatabaseSync(path);
      if (database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'entries'").get() !== undefined) return database;
      database.close();
    }
    throw new Error("no index was written");
  }

  test("an index that was evicted reads its entries back when the key comes, and says meanwhile that it is not ready", async () => {
    await persisted(async (dir) => {
      const numbers = Array.from({ length: 600 }, (_, number) => number);
      await during(dir, async (edge) => {
        const index = await indexOf(edge, "evicted");
        await Promise.all(
          numbers.map((number) => index.add({ keys: [first], entry: entryOf(number), entriesMax: 2_000 })),
        );
        expect((await index.size()).entries).toBe(600);
      });
      await during(dir, async (edge) => {
        const index = await indexOf(edge, "evicted");
        expect(await index.size()).toMatchObject({ entries: 600, loaded: 0 });
        const early = await index.find({ keys: [first], vector: vectorOf(432), k: 1 });
        if (!early.ready) expect(early.candidates).toEqual([]);
        expect((await find(index, 432)).candidates[0]).toMatchObject({ id: "entry-432", slot: "answer:432" });
        expect(await index.size()).toMatchObject({ loaded: 600, unreadable: 0 });
      });
    });
  });

  test("there is no prompt, no slot and no vector in clear", async () => {
    await persisted(async (dir) => {
      await during(dir, async (edge) => await fill(await indexOf(edge, "sealed"), [1, 2, 3]));
      const bytes = Buffer.concat(filesUnder(dir).map((path) => readFileSync(path)));
      expect(bytes.includes("entry-2")).toBe(true);
      for (const secret of ["secret of number", "answer:2", Buffer.from(vectorOf(2).buffer).subarray(0, 16)]) {
        expect(bytes.includes(secret)).toBe(false);
      }
    });
  });

  test("entries that were swapped, changed in a bit or made to last longer are dropped and counted, never given", async () => {
    await persisted(async (dir) => {
      await during(dir, async (edge) => await fill(await indexOf(edge, "tampered"), [1, 2, 3, 4, 5]));
      const database = databaseUnder(dir);
      const sealed = (id: string) =>
        database.prepare("SELECT sealed FROM entries WHERE id = ?").get(id)?.sealed as Uint8Array;
      const write = database.prepare("UPDATE entries SET sealed = ? WHERE id = ?");
      const [one, two, three] = [sealed("entry-1"), sealed("entry-2"), sealed("entry-3")];
      write.run(two, "entry-1");
      write.run(one, "entry-2");
      three[100] = (three[100] ?? 0) ^ 1;
      write.run(three, "entry-3");
      database.exec("UPDATE entries SET expires_at_ms = expires_at_ms + 1 WHERE id = 'entry-4'");
      database.close();
      await during(dir, async (edge) => {
        const index = await indexOf(edge, "tampered");
        const { candidates, unreadable } = await find(index, 1, [first], 5);
        expect(candidates.map(({ id }) => id)).toEqual(["entry-5"]);
        expect(unreadable).toBe(4);
        expect(await index.size()).toMatchObject({ entries: 1, unreadable: 4 });
      });
    });
  });

  test("nothing is left of an index that was only asked, or whose last entry has expired", async () => {
    await persisted(async (dir) => {
      await during(dir, async (edge) => {
        expect((await find(await indexOf(edge, "asked"), 1)).candidates).toEqual([]);
      });
      expect(() => databaseUnder(dir)).toThrow("no index was written");
      await during(dir, async (edge) => {
        const index = await indexOf(edge, "expired");
        const entry = entryOf(1, { expiresAtMs: Date.now() + 500 });
        expect(await index.add({ keys: [first], entry, entriesMax: 10 })).toBe(true);
        await until("it is gone", async () => (await index.size()).entries === 0);
      });
      expect(() => databaseUnder(dir)).toThrow("no index was written");
    });
  });

  test("an entry says nothing in another index, even with the same key", async () => {
    await persisted(async (dir) => {
      const sizes = await during(dir, async (edge) => {
        await fill(await indexOf(edge, "from"), [1]);
        return databaseUnder(dir).prepare("SELECT * FROM entries").get();
      });
      rmSync(dir, { recursive: true });
      await during(dir, async (edge) => await fill(await indexOf(edge, "to"), [1]));
      const database = databaseUnder(dir);
      database
        .prepare("UPDATE entries SET sealed = ?, expires_at_ms = ?")
        .run(sizes?.sealed as Uint8Array, sizes?.expires_at_ms as number);
      database.close();
      await during(dir, async (edge) => {
        const index = await indexOf(edge, "to");
        expect((await find(index, 1)).candidates).toEqual([]);
        expect(await index.size()).toMatchObject({ entries: 0, unreadable: 1 });
      });
    });
  });
});
