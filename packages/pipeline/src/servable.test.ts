import { fail, type ModelManifest, ok, type Tensors } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import type { Run } from "./run.ts";
import { createServable, type Servable } from "./servable.ts";

const manifest: ModelManifest = {
  name: "toy",
  version: "1",
  task: "text-classification",
  description: "The logit of a class is how many ids a row has.",
  licence: "Apache-2.0",
  file: { path: "model.onnx", bytes: 1, sha256: "0".repeat(64) },
  inputs: [{ name: "ids", datatype: "INT64", shape: [-1, -1] }],
  outputs: [{ name: "logits", datatype: "FP32", shape: [-1, 2] }],
  preprocess: {
    kind: "feature-hashing",
    encoding: "utf-8",
    lowercase: "ascii",
    wordBytes: [[97, 122]],
    hash: { kind: "fnv1a-32", basis: 2166136261, prime: 16777619 },
    families: [{ kind: "words", n: 1, seed: 1, offset: 1, buckets: 10 }],
    duplicates: "keep",
    padId: 0,
    maxIds: 8,
  },
  postprocess: { kind: "softmax-labels", labels: "labels.json" },
  tiers: ["edge"],
  limits: {},
};
const files = new Map([["labels.json", new TextEncoder().encode(JSON.stringify(["many", "none"]))]]);
const asked = { topK: 2, logits: true };

/** Counts the ids that are not padding, and notes the shape of every run. */
function countingEngine(shapes: (readonly number[])[] = []): Run {
  return async (feeds: Tensors) => {
    const ids = feeds.ids;
    if (ids?.datatype !== "INT64") return fail("upstream_failed", { cause: "no ids" });
    shapes.push(ids.shape);
    const [rows = 0, length = 0] = ids.shape;
    const data = new Float32Array(rows * 2);
    for (let at = 0; at < ids.data.length; at++) {
      if (ids.data[at] !== 0n) data[2 * Math.floor(at / length)] = (data[2 * Math.floor(at / length)] ?? 0) + 1;
    }
    return ok({ logits: { datatype: "FP32", shape: [rows, 2], data } });
  };
}

function servableOf(run: Run, more: Partial<ModelManifest> = {}) {
  return createServable({ manifest: { ...manifest, ...more }, files, run, limits: { rowsMax: 2, cellsMax: 6 } });
}

function made(servable: ReturnType<typeof servableOf>): Servable {
  if (!servable.ok) throw new Error(servable.fault.cause);
  return servable.value;
}

function rowsOf(servable: Servable, texts: readonly string[]) {
  return texts.map((text) => {
    const row = servable.prepare(text);
    if (!row.ok) throw new Error(row.fault.detail);
    return row.value;
  });
}

describe("a servable", () => {
  test("answers in the order of the inputs however they are parted into runs, and counts tokens without padding", async () => {
    const shapes: (readonly number[])[] = [];
    const servable = made(servableOf(countingEngine(shapes)));
    const rows = rowsOf(servable, ["a", "a b", "a b c d", ""]);
    const outputs = await servable.run(rows);
    if (!outputs.ok) throw new Error(outputs.fault.cause);
    expect(outputs.value.map((row) => servable.shape(row, asked).logits?.[0])).toEqual([1, 2, 4, 0]);
    expect(outputs.value.map(({ tokens }) => tokens)).toEqual([1, 2, 4, 0]);
    expect(shapes).toEqual([
      [2, 2],
      [1, 4],
      [1, 1],
    ]);
  });

  test("never runs more rows at once than its package allows", async () => {
    const shapes: (readonly number[])[] = [];
    const servable = made(servableOf(countingEngine(shapes), { limits: { batchMax: 1 } }));
    await servable.run(rowsOf(servable, ["a", "b"]));
    expect(shapes).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  test("runs a graph with a fixed batch as many rows at a time, filled up, and gives back the caller's rows alone", async () => {
    const shapes: (readonly number[])[] = [];
    const inputs = [{ name: "ids", datatype: "INT64" as const, shape: [2, 4] }];
    const preprocess = { ...manifest.preprocess, kind: "feature-hashing", maxIds: 4 };
    const servable = made(servableOf(countingEngine(shapes), { inputs, preprocess }));
    const outputs = await servable.run(rowsOf(servable, ["a", "a b", "a b c"]));
    if (!outputs.ok) throw new Error(outputs.fault.cause);
    expect(outputs.value.map((row) => servable.shape(row, asked).logits?.[0])).toEqual([1, 2, 3]);
    expect(shapes).toEqual([
      [2, 4],
      [2, 4],
    ]);
  });

  test.each([
    ["another shape", { datatype: "FP32", shape: [1, 3], data: new Float32Array(3) }],
    ["fewer rows", { datatype: "FP32", shape: [0, 2], data: new Float32Array(0) }],
    ["numbers that are not finite", { datatype: "FP32", shape: [1, 2], data: Float32Array.of(0, Number.NaN) }],
    ["no such output", undefined],
  ] as const)("turns %s from the engine into a fault, not into a label", async (_what, logits) => {
    const servable = made(servableOf(async () => ok(logits === undefined ? {} : { logits })));
    const outputs = await servable.run(rowsOf(servable, ["a"]));
    expect(outputs).toMatchObject({ ok: false, fault: { code: "upstream_failed" } });
  });

  test("does not look at outputs that no step reads", async () => {
    const logits = { datatype: "FP32", shape: [1, 2], data: new Float32Array(2) } as const;
    const state = { datatype: "FP32", shape: [1], data: Float32Array.of(Number.NaN) } as const;
    const servable = made(servableOf(async () => ok({ logits, state })));
    expect((await servable.run(rowsOf(servable, ["a"]))).ok).toBe(true);
  });

  test.each([
    ["an unknown way to prepare", { preprocess: { kind: "wordpiece" } }, /wordpiece/],
    [
      "an unknown way to shape",
      { postprocess: { kind: "softmax-labels", labels: "labels.json", temperature: 2 } },
      /temperature/,
    ],
    ["another task", { task: "chat" as const }, /chat/],
    ["a step before its graph but none after it", { postprocess: undefined }, /together/],
    ["labels it does not have", { postprocess: { kind: "softmax-labels", labels: "names.json" } }, /names\.json/],
    [
      "an out-of-scope label it does not have",
      { postprocess: { kind: "softmax-labels", labels: "labels.json", outOfScope: { label: "oos", below: 0.2 } } },
      /oos/,
    ],
    ["more ids than its graph has places", { inputs: [{ name: "ids", datatype: "INT64", shape: [1, 4] }] }, /4 places/],
    ["as many classes as it has no labels for", { outputs: [{ name: "y", datatype: "FP32", shape: [-1, 3] }] }, /3/],
  ])("is refused as not ready when its package asks for %s, and says what", (_what, more, says) => {
    const refused = servableOf(countingEngine(), more as Partial<ModelManifest>);
    expect(refused).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
    if (!refused.ok) expect(refused.fault.cause).toMatch(says);
  });

  test("refuses an input of another kind than its step takes", () => {
    const prepared = made(servableOf(countingEngine())).prepare({ image: "" });
    expect(prepared).toMatchObject({ fault: { code: "invalid_shape", detail: "This model takes texts." } });
  });

  test("without steps takes tensors and nothing else", async () => {
    const { preprocess: _p, postprocess: _q, ...bare } = manifest;
    const servable = made(createServable({ manifest: { ...bare, task: "tensor" }, files, run: countingEngine() }));
    expect([servable.takes, servable.gives]).toEqual(["tensors", "tensors"]);
    expect(servable.prepare("a")).toMatchObject({ fault: { code: "invalid_shape" } });
  });
});
