import type { TensorSpec } from "@ledge/contract";
import { utf8BytesMax, writeUtf8 } from "@ledge/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { featureHashing } from "./feature-hashing.schema.ts";
import { featureHasher } from "./feature-hashing.ts";
import { planRuns } from "./plan-runs.ts";
import type { PreparedRow } from "./preparer.ts";
import { stackRows } from "./stack-rows.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "grapheme-ascii" }),
);

describe("UTF-8 by hand", () => {
  test("writes the bytes of TextEncoder for any text, lone surrogates included", () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(fc.oneof(text, units), (sample) => {
        const into = new Uint8Array(utf8BytesMax(sample));
        const length = writeUtf8(sample, into);
        expect(into.subarray(0, length)).toEqual(new TextEncoder().encode(sample));
      }),
    );
  });
});

describe("stacking rows", () => {
  const rowOf = (...ids: number[]): PreparedRow => ({
    tokens: ids.length,
    tensors: {
      ids: { datatype: "INT64", shape: [ids.length], data: BigInt64Array.from(ids, BigInt) },
      mask: { datatype: "INT32", shape: [ids.length], data: Int32Array.from(ids, () => 1) },
    },
  });
  const inputs = (shape: number[]): TensorSpec[] => [
    { name: "ids", datatype: "INT64", shape },
    { name: "mask", datatype: "INT32", shape },
  ];

  test("makes one tensor an input, as long as the longest row, and fills the others up", () => {
    expect(stackRows([rowOf(1, 2, 3), rowOf(4), rowOf()], inputs([-1, -1]), { ids: 9 })).toEqual({
      ids: { datatype: "INT64", shape: [3, 3], data: BigInt64Array.of(1n, 2n, 3n, 4n, 9n, 9n, 9n, 9n, 9n) },
      mask: { datatype: "INT32", shape: [3, 3], data: Int32Array.of(1, 1, 1, 1, 0, 0, 0, 0, 0) },
    });
  });

  test("keeps a column even when every row is empty", () => {
    expect(stackRows([rowOf()], inputs([-1, -1]), { ids: 7 }).ids).toEqual({
      datatype: "INT64",
      shape: [1, 1],
      data: BigInt64Array.of(7n),
    });
  });

  test("makes rows as long and as many as a graph with fixed dimensions takes", () => {
    expect(stackRows([rowOf(1), rowOf(2)], inputs([3, 2]), {}).ids).toEqual({
      datatype: "INT64",
      shape: [3, 2],
      data: BigInt64Array.of(1n, 0n, 2n, 0n, 2n, 0n),
    });
  });

  test("lays rows of several dimensions one behind the other", () => {
    const picture = (first: number): PreparedRow => ({
      tokens: 2,
      tensors: { pixels: { datatype: "FP32", shape: [1, 1, 2], data: Float32Array.of(first, first + 1) } },
    });
    const specs: TensorSpec[] = [{ name: "pixels", datatype: "FP32", shape: [-1, 1, 1, 2] }];
    expect(stackRows([picture(1), picture(3)], specs, {}).pixels).toEqual({
      datatype: "FP32",
      shape: [2, 1, 1, 2],
      data: Float32Array.of(1, 2, 3, 4),
    });
  });
});

describe("the plan of runs", () => {
  test("covers every row once, in order, within the limits except for a row that alone exceeds them", () => {
    const limits = fc.record({ rowsMax: fc.integer({ min: 1, max: 64 }), cellsMax: fc.integer({ min: 1, max: 5000 }) });
    fc.assert(
      fc.property(fc.array(fc.nat(1024), { maxLength: 100 }), limits, (lengths, { rowsMax, cellsMax }) => {
        let next = 0;
        for (const [from, to] of planRuns(lengths, { rowsMax, cellsMax })) {
          expect(from).toBe(next);
          expect(to).toBeGreaterThan(from);
          next = to;
          const cells = (to - from) * Math.max(1, ...lengths.slice(from, to));
          if (to - from > 1) expect(to - from <= rowsMax && cells <= cellsMax).toBe(true);
        }
        expect(next).toBe(lengths.length);
      }),
    );
  });
});

describe("the plan of runs for rows that must not be filled up", () => {
  test("never puts rows of different lengths into one run", () => {
    expect(planRuns([2, 2, 3, 2], { rowsMax: 8, cellsMax: 100 }, true)).toEqual([
      [0, 2],
      [2, 3],
      [3, 4],
    ]);
  });
});

describe("feature hashing", () => {
  const spec = featureHashing.parse({
    kind: "feature-hashing",
    encoding: "utf-8",
    lowercase: "ascii",
    wordBytes: [[97, 122]],
    hash: { kind: "fnv1a-32", basis: 2166136261, prime: 16777619 },
    families: [
      { kind: "words", n: 1, seed: 0, offset: 1, buckets: 2147483647 },
      { kind: "words", n: 2, seed: 2, offset: 1, buckets: 100, start: 60, end: 62, join: 32 },
      { kind: "chars", min: 3, max: 5, seed: 3, offset: 1, buckets: 100, start: 60, end: 62 },
    ],
    duplicates: "keep",
    padId: 0,
    maxIds: 40,
  });
  const featurize = featureHasher(spec);

  test("hashes as FNV-1a does", () => {
    // 0xbf9cf968 is FNV-1a 32 of "foobar" in the test vectors of draft-eastlake-fnv.
    expect(featurize("FooBar")[0]).toBe(1 + (0xbf9cf968 % 2147483647));
  });

  test("never gives more than maxIds ids, none of them padding, and the same ids for the same text", () => {
    fc.assert(
      fc.property(text, (sample) => {
        const ids = featurize(sample);
        expect(ids.length).toBeGreaterThan(0);
        expect(ids.length).toBeLessThanOrEqual(spec.maxIds);
        expect(ids.every((id) => id > 0)).toBe(true);
        expect(featureHasher(spec)(sample)).toEqual(ids);
      }),
    );
  });

  test("a recipe with an unknown member or an empty range of sizes is refused, not guessed at", () => {
    expect(featureHashing.safeParse({ ...spec, stemming: true }).success).toBe(false);
    const grams = { kind: "chars", min: 5, max: 3, seed: 3, offset: 1, buckets: 100, start: 60, end: 62 };
    expect(featureHashing.safeParse({ ...spec, families: [grams] }).success).toBe(false);
  });
});
