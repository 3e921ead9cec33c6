import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  test("finds the entry whose vector is nearest, with its prompt, its slot and the similarity", async () => {
    const index = await indexOf(edge, "nearest");
    await fill(index, [1, 2, 3, 4, 5]);
    const { candidates } = await find(index, 3);
    expect(candidates[0]).toMatchObject({ id: "entry-3", prompt: entryOf(3).prompt, slot: "answer:3" });
    expect(candidates[0]?.similarity).toBeGreaterThan(0.999);
    expect(candidates).toHaveLength(3);
  });
});
