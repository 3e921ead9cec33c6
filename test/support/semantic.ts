import { expect } from "vitest";
import { type TestEdge, until } from "./ledge.ts";

/** A semantic index as tests call it: its Durable Object, with keys and vectors of their own. */

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
  find(ask: { keys: Key[]; vector: Float32Array; k: number; prompt?: string }): Promise<{
    ready: boolean;
    candidates: Candidate[];
    unreadable: number;
  }>;
  add(kept: { keys: Key[]; entry: object; entriesMax: number }): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  used(id: string): Promise<void>;
  size(): Promise<{ entries: number; loaded: number; bytes: number; unreadable: number }>;
}

export const key = (id: string, fill: number): Key => ({ id, bytes: new Uint8Array(32).fill(fill) });
export const first = key("k1", 1);
export const second = key("k2", 2);
const hourMs = 3_600_000;
export const dimensions = 384;

/** A unit vector: the same number gives the same one, and different ones lie far apart. */
export function vectorOf(number: number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, (_, i) => Math.sin((number + 1) * 12.9898 * (i + 1)));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

export const entryOf = (number: number, more = {}) => ({
  id: `entry-${number}`,
  prompt: `what is the secret of number ${number}`,
  slot: `answer:${number}`,
  vector: vectorOf(number),
  expiresAtMs: Date.now() + hourMs,
  ...more,
});

export async function indexOf(edge: TestEdge, name: string): Promise<Index> {
  const indexes = await edge.miniflare.getDurableObjectNamespace("SEMANTIC_INDEX", "ledge-gateway");
  return indexes.get(indexes.idFromName(name)) as unknown as Index;
}

export async function fill(
  index: Index,
  numbers: readonly number[],
  keys = [first],
  entriesMax = 1_000,
): Promise<void> {
  for (const number of numbers) expect(await index.add({ keys, entry: entryOf(number), entriesMax })).toBe(true);
}

/** Asks until the index is ready. */
export async function find(index: Index, number: number, keys = [first], k = 3) {
  let answer = await index.find({ keys, vector: vectorOf(number), k });
  await until("the index is ready", async () => {
    if (!answer.ready) answer = await index.find({ keys, vector: vectorOf(number), k });
    return answer.ready;
  });
  return answer;
}
