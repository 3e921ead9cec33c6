import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { entryOf, fill, find, first, indexOf, vectorOf } from "../support/semantic.ts";

/** What a semantic index leaves on disk, and makes of what it finds there. */

/** A directory of state; each edge that is started on it finds evicted objects. */
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
      expect(early.candidates).toHaveLength(early.ready ? 1 : 0);
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
