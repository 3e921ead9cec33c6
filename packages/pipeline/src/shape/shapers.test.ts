import { fail, type Result, type TensorSpec } from "@ledge/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseShaper } from "./choose-shaper.ts";
import type { OutputRow, Shaper } from "./shaper.ts";
import { splitRows } from "./split-rows.ts";

const labels = ["cat", "dog", "bird"];
const files = new Map([["labels.json", new TextEncoder().encode(JSON.stringify(labels))]]);
const scores: TensorSpec = { name: "scores", datatype: "FP32", shape: [-1, 3] };
const asked = { topK: 5, logits: false };

function made(result: Result<Shaper>): Shaper {
  if (!result.ok) throw new Error(result.fault.cause);
  return result.value;
}

const rowOf = (values: number[], tokens = 1, name = "scores"): OutputRow => ({
  tokens,
  tensors: { [name]: { datatype: "FP32", shape: [values.length], data: Float32Array.from(values) } },
});

describe("top-k", () => {
  test("gives the k largest scores as the graph gave them, best first", () => {
    const shaper = made(chooseShaper({ kind: "top-k", k: 2, labels: "labels.json" } as never, [scores], files));
    expect(shaper.shape(rowOf([0.5, 7, 3]), asked)).toEqual({
      label: "dog",
      score: 7,
      top: [
        { label: "dog", score: 7 },
        { label: "bird", score: 3 },
      ],
    });
    expect(shaper.shape(rowOf([0.5, 7, 3]), { topK: 1, logits: true })).toMatchObject({ logits: [0.5, 7, 3] });
  });

  test("names classes by their number when the package has no labels", () => {
    const shaper = made(chooseShaper({ kind: "top-k", k: 1 } as never, [{ ...scores, shape: [-1, -1] }], new Map()));
    expect(shaper.rowShape).toEqual([-1]);
    expect(shaper.shape(rowOf([1, 2]), asked)).toMatchObject({ label: "1", score: 2 });
  });
});

describe("a threshold", () => {
  const shaper = made(chooseShaper({ kind: "threshold", at: 0.5, labels: "labels.json" } as never, [scores], files));

  test("gives every label whose sigmoid reaches it, best first", () => {
    const { top } = shaper.shape(rowOf([0, -0.1, 4]), asked);
    expect(top?.map(({ label }) => label)).toEqual(["bird", "cat"]);
    expect(top?.[1]?.score).toBe(0.5);
  });

  test("gives none when none reaches it, and still says which came nearest", () => {
    expect(shaper.shape(rowOf([-3, -1, -2]), asked)).toMatchObject({ label: "dog", top: [] });
  });
});

describe("an embedding", () => {
  const step = { kind: "embedding", pool: "mean", normalise: false, dimensions: 2 };
  const states: TensorSpec = { name: "states", datatype: "FP32", shape: [-1, -1, 2] };
  const output = (shape: number[], values: number[]) => ({
    states: { datatype: "FP32", shape, data: Float32Array.from(values) } as const,
  });
  const rows = [3, 1, 0].map((tokens) => ({ tokens, tensors: {} }));
  // Three tokens a row; what lies beyond a row's own tokens is of padding.
  const run = output([3, 3, 2], [1, 2, 3, 4, 5, 9, 7, 8, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99]);

  function embed(more: Record<string, unknown>, outputs = run, length: number | undefined = 3) {
    const shaper = made(chooseShaper({ ...step, ...more } as never, [states], new Map()));
    const split = splitRows(outputs, shaper, rows, length);
    if (!split.ok) throw new Error(split.fault.cause);
    return split.value.map((row) => shaper.shape(row, asked).embedding);
  }

  test("by mean is the mean of a row's own tokens, padding excluded, and zeros for no tokens", () => {
    expect(embed({})).toEqual([
      [3, 5],
      [7, 8],
      [0, 0],
    ]);
  });

  test("by the first token is that token's vector", () => {
    expect(embed({ pool: "first" })).toEqual([
      [1, 2],
      [7, 8],
      [0, 0],
    ]);
  });

  test("of a graph that changes the length is the mean of all it gives", () => {
    const shorter = output([3, 2, 2], [1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11]);
    expect(embed({}, shorter)).toEqual([
      [2, 2],
      [6, 6],
      [10, 10],
    ]);
  });

  test("normalised has length 1 whatever the vector, and zeros stay zeros", () => {
    const pooled = made(
      chooseShaper({ ...step, pool: "none", normalise: true } as never, [{ ...states, shape: [-1, 2] }], new Map()),
    );
    const value = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [x = 0, y = 0] = pooled.shape(rowOf([a, b], 1, "states"), asked).embedding ?? [];
        expect(Math.hypot(x, y)).toBeCloseTo(a === 0 && b === 0 ? 0 : 1, 6);
      }),
    );
  });
});

describe("a step after the graph", () => {
  test.each([
    ["an output the graph lacks", { kind: "top-k", k: 1, output: "x" }, [scores], /no output x/],
    ["an output that is no float", { kind: "top-k", k: 1 }, [{ ...scores, datatype: "INT64" }], /INT64/],
    ["a graph without outputs", { kind: "top-k", k: 1 }, [], /no output/],
    ["a single number a row", { kind: "top-k", k: 1 }, [{ ...scores, shape: [-1] }], /no scores/],
    ["labels that are no list", { kind: "threshold", at: 0.5, labels: "bad.json" }, [scores], /bad\.json/],
    ["labels that are not in the package", { kind: "threshold", at: 0.5, labels: "no.json" }, [scores], /no\.json/],
    [
      "token vectors the graph does not give",
      { kind: "embedding", pool: "mean", normalise: true, dimensions: 3 },
      [scores],
      /length/,
    ],
    [
      "another number of dimensions",
      { kind: "embedding", pool: "none", normalise: true, dimensions: 4 },
      [scores],
      /\[batch, 4\]/,
    ],
    ["a kind nobody knows", { kind: "sort" }, [scores], /sort/],
  ] as const)("is not ready for %s, and says so", (_what, step, outputs, says) => {
    const given = new Map([...files, ["bad.json", new TextEncoder().encode("{}")] as const]);
    const refused = chooseShaper(step as never, outputs as readonly TensorSpec[], given);
    expect(refused).toMatchObject(fail("model_not_ready"));
    if (!refused.ok) expect(refused.fault.cause).toMatch(says);
  });

  test("reads the half floats of a graph in fp16", () => {
    const shaper = made(chooseShaper({ kind: "top-k", k: 1 } as never, [{ ...scores, datatype: "FP16" }], files));
    const data = Uint16Array.of(0x3c00, 0x4000, 0xc000); // 1, 2, −2
    const outputs = { scores: { datatype: "FP16", shape: [1, 3], data } as const };
    const split = splitRows(outputs, shaper, [{ tokens: 1, tensors: {} }], undefined);
    expect(split.ok && split.value.map((row) => shaper.shape(row, asked))).toMatchObject([{ label: "1", score: 2 }]);
  });

  test("reads scores that a graph gives with dimensions of 1 beside them", () => {
    const shaper = made(chooseShaper({ kind: "top-k", k: 1 } as never, [{ ...scores, shape: [-1, 3] }], files));
    const data = Float32Array.of(1, 2, 3, 6, 5, 4);
    const outputs = { scores: { datatype: "FP32", shape: [2, 3, 1, 1], data } as const };
    const split = splitRows(
      outputs,
      shaper,
      [1, 1].map((tokens) => ({ tokens, tensors: {} })),
      undefined,
    );
    expect(split.ok && split.value.map((row) => shaper.shape(row, asked).label)).toEqual(["2", "0"]);
  });
});
