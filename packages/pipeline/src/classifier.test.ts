import { fail, type ModelManifest, ok, type Tensors } from "@ledge/contract";
import { describe, expect, test } from "vitest";
import { createClassifier } from "./classifier.ts";
import type { Run } from "./run.ts";

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
const labels = ["many", "none"];

/** Counts the ids that are not padding, and notes the shape of every run. */
function countingEngine(shapes: (readonly number[])[]): Run {
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

function classifierOf(run: Run, more: Partial<ModelManifest> = {}) {
  return createClassifier({ manifest: { ...manifest, ...more }, labels, run, limits: { rowsMax: 2, cellsMax: 6 } });
}

describe("a classifier", () => {
  test("answers in the order of the texts however they are parted into runs, and counts tokens without padding", async () => {
    const shapes: (readonly number[])[] = [];
    const classifier = classifierOf(countingEngine(shapes));
    if (!classifier.ok) throw new Error(classifier.fault.cause);
    const answer = await classifier.value.predict(["a", "a b", "a b c d", ""], { topK: 2, logits: true });
    if (!answer.ok) throw new Error(answer.fault.cause);
    expect(answer.value.predictions.map((prediction) => prediction.logits?.[0])).toEqual([1, 2, 4, 0]);
    expect(answer.value.inputTokens).toBe(7);
    expect(shapes).toEqual([
      [2, 2],
      [1, 4],
      [1, 1],
    ]);
  });

  test.each([
    [
      "another shape",
      async () => ok({ logits: { datatype: "FP32", shape: [1, 3], data: new Float32Array(3) } } as const),
    ],
    [
      "numbers that are not finite",
      async () => ok({ logits: { datatype: "FP32", shape: [1, 2], data: Float32Array.of(0, Number.NaN) } } as const),
    ],
    ["no such output", async () => ok({})],
  ])("turns %s from the engine into a fault, not into a label", async (_what, run) => {
    const classifier = classifierOf(run);
    if (!classifier.ok) throw new Error(classifier.fault.cause);
    const answer = await classifier.value.predict(["a"], { topK: 1, logits: false });
    expect(answer).toMatchObject({ ok: false, fault: { code: "upstream_failed" } });
  });

  test.each([
    ["an unknown way to prepare", { preprocess: { kind: "wordpiece" } }],
    ["an unknown way to shape", { postprocess: { kind: "softmax-labels", labels: "labels.json", temperature: 2 } }],
    ["another task", { task: "chat" as const }],
    [
      "an out-of-scope label it does not have",
      { postprocess: { kind: "softmax-labels", labels: "x", outOfScope: { label: "oos", below: 0.2 } } },
    ],
  ])("is refused as not ready when its package asks for %s", (_what, more) => {
    expect(classifierOf(countingEngine([]), more)).toMatchObject({ ok: false, fault: { code: "model_not_ready" } });
  });
});
