import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clusteredVectors, nearestOf } from "../../../../test/support/clustered-vectors.ts";
import { wasmRows } from "../../../../test/support/wasm-rows.ts";
import { codesOf, NearestIndex } from "./nearest-index.ts";
import { PlainRows } from "./plain-rows.ts";
import type { Rows } from "./rows.ts";

function codes(vector: Float32Array): Int8Array {
  const made = codesOf(vector);
  if (made === undefined) throw new Error("no direction");
  return made;
}

/** Vectors take seconds to make on a busy machine. */
const timeout = 60_000;

/** An index of so many vectors of a source, by the order they came in, and the vectors one after the other. */
function filled(count: number, dimensions: number, seed: number, create: (dimensions: number) => Rows) {
  const source = clusteredVectors(dimensions, seed);
  const index = new NearestIndex(dimensions, create(dimensions));
  const rows = new Float32Array(count * dimensions);
  for (let id = 0; id < count; id++) {
    const vector = source.next();
    rows.set(vector, id * dimensions);
    index.add(id, codes(vector));
  }
  return { source, index, rows };
}

const twins = [
  ["in JavaScript", (dimensions: number) => new PlainRows(dimensions)],
  ["in WebAssembly", wasmRows],
] as const;

describe.each(twins)("the nearest found, with rows %s,", { timeout }, (_where, create) => {
  test.each([256, 384])("is the nearest of all for 98 % of vectors among 3,000 of %i dimensions", (dimensions) => {
    const { source, index, rows } = filled(3_000, dimensions, 3, create);
    let same = 0;
    for (let asked = 0; asked < 200; asked++) {
      const vector = source.next();
      const nearest = nearestOf(rows, dimensions, vector);
      const [found] = index.search(vector, 1);
      if (found?.id === nearest.at) same++;
    }
    expect(same).toBeGreaterThanOrEqual(196);
  });

  test("is exact in order, and to 0.002 in similarity, while all are looked at closely", () => {
    const { source, index, rows } = filled(400, 384, 4, create);
    const vector = source.next();
    const similarities = Array.from({ length: 400 }, (_, at) =>
      rows.subarray(at * 384, (at + 1) * 384).reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0),
    );
    const found = index.search(vector, 400);
    expect(new Set(found.map(({ id }) => id)).size).toBe(400);
    for (const { id, similarity } of found) expect(Math.abs(similarity - (similarities[id] ?? 0))).toBeLessThan(0.002);
    const order = found.map(({ similarity }) => similarity);
    expect(order).toEqual(order.toSorted((a, b) => b - a));
  });

  test("is the vector itself when it is there, whatever its length", () => {
    const { index, rows } = filled(3_000, 384, 5, create);
    for (const id of [0, 1_234, 2_999]) {
      const vector = rows.slice(id * 384, (id + 1) * 384).map((value) => value * 42);
      const [found] = index.search(vector, 1);
      expect(found?.id).toBe(id);
      expect(found?.similarity).toBeGreaterThan(0.9995);
    }
  });

  test("are as many as asked for even when thousands lie in one place", () => {
    const index = new NearestIndex(256, create(256));
    const vector = clusteredVectors(256, 6).next();
    for (let id = 0; id < 3_000; id++) index.add(id, codes(vector));
    expect(index.search(vector, 7)).toHaveLength(7);
    expect(new NearestIndex(256, create(256)).search(vector, 7)).toEqual([]);
    expect(index.search(vector, 0)).toEqual([]);
  });
});

describe.each(twins)("an index with rows %s", { timeout }, (_where, create) => {
  test("holds after any adding, replacing and removing exactly what was left in it", () => {
    const vectors = Array.from({ length: 12 }, (_, seed) => clusteredVectors(16, seed + 1).next());
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(7), fc.nat(11)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (all) => {
        const index = new NearestIndex(16, create(16));
        const model = new Map<number, Float32Array>();
        for (const [adds, id, which] of all) {
          const vector = vectors[which] as Float32Array;
          if (adds) {
            index.add(id, codes(vector));
            model.set(id, vector);
          } else expect(index.remove(id)).toBe(model.delete(id));
        }
        expect(index.size).toBe(model.size);
        for (const [id, vector] of model) {
          const same = index.search(vector, model.size).filter(({ similarity }) => similarity > 0.9999);
          expect(same.map((found) => found.id)).toContain(id);
        }
        expect(index.search(vectors[0] as Float32Array, 100)).toHaveLength(model.size);
      }),
    );
  });

  test("finds what moved when rows of other blocks were removed", () => {
    const { index, rows } = filled(9_000, 64, 8, create);
    for (let id = 0; id < 8_990; id++) expect(index.remove(id)).toBe(true);
    expect(index.size).toBe(10);
    for (let id = 8_990; id < 9_000; id++) {
      expect(index.search(rows.subarray(id * 64, (id + 1) * 64), 1)[0]?.id).toBe(id);
    }
  });
});

test("an index takes 46 + a byte a dimension a row, in blocks of 4,096, and gives blocks back", () => {
  const index = new NearestIndex(384);
  expect(index.bytes).toBe(0);
  const block = 4_096 * (8 + 32 + 2 + 384 + 4);
  const one = codes(clusteredVectors(384).next());
  for (let id = 0; id < 4_097; id++) index.add(id, one);
  expect(index.bytes).toBe(2 * block);
  index.remove(0);
  expect(index.bytes).toBe(block);
  // 25 blocks hold 100,000 rows.
  expect(25 * block).toBeLessThan(44_100_000);
});

test("a vector without a direction, or with what is no number, has no codes", () => {
  for (const bad of [0, Number.NaN, Number.POSITIVE_INFINITY])
    expect(codesOf(new Float32Array([bad, 0]))).toBeUndefined();
  expect(codesOf(new Float32Array([0.5, -0.25, 0]))).toEqual(new Int8Array([127, -63, 0]));
});
