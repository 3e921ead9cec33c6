import { type OnnxModel, type OnnxTensor, type OnnxType, writeOnnx } from "./onnx-writer.ts";

/** Small graphs, one for each thing a model may do with its tensors. */

/** `y = a + b`, element by element, `[batch, width]` of any number type. */
export function addGraph(type: OnnxType, more: Partial<OnnxModel> = {}): Uint8Array<ArrayBuffer> {
  const shape = ["batch", 4];
  return writeOnnx({
    inputs: [
      { name: "a", type, shape },
      { name: "b", type, shape },
    ],
    outputs: [{ name: "y", type, shape }],
    nodes: [{ op: "Add", inputs: ["a", "b"], outputs: ["y"] }],
    ...more,
  });
}

/** `y = x · w`, `[batch, rows] → [batch, columns]`, with weights counted up, a thousandth each. */
export function linearGraph(rows: number, columns: number, more: Partial<OnnxModel> = {}): Uint8Array<ArrayBuffer> {
  const data = Float32Array.from({ length: rows * columns }, (_, at) => (at % 1000) / 1000);
  const weights: OnnxTensor = { name: "w", type: "FP32", shape: [rows, columns], data };
  return writeOnnx({
    inputs: [{ name: "x", type: "FP32", shape: ["batch", rows] }],
    outputs: [{ name: "y", type: "FP32", shape: ["batch", columns] }],
    nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
    initialisers: [weights],
    ...more,
  });
}

/** Whatever goes in comes out: one input and output of each of the types. */
export function identityGraph(types: readonly OnnxType[]): Uint8Array<ArrayBuffer> {
  const value = (side: string, type: OnnxType) => ({ name: `${side}_${type}`, type, shape: ["batch", "length"] });
  return writeOnnx({
    inputs: types.map((type) => value("in", type)),
    outputs: types.map((type) => value("out", type)),
    nodes: types.map((type) => ({ op: "Identity", inputs: [`in_${type}`], outputs: [`out_${type}`] })),
  });
}

/** Stateful: `next = state + x`, `y = next · next`; the state goes in and out as a tensor. */
export function statefulGraph(): Uint8Array<ArrayBuffer> {
  const shape = ["batch", 3];
  return writeOnnx({
    inputs: [
      { name: "x", type: "FP32", shape },
      { name: "state", type: "FP32", shape },
    ],
    outputs: [
      { name: "y", type: "FP32", shape },
      { name: "next", type: "FP32", shape },
    ],
    nodes: [
      { op: "Add", inputs: ["state", "x"], outputs: ["next"] },
      { op: "Mul", inputs: ["next", "next"], outputs: ["y"] },
    ],
  });
}

/** Token ids to class scores by a table of vectors, averaged: `input_ids`, `attention_mask` → `logits`. */
export function bagOfTokensGraph(vocabulary: number, classes: number): Uint8Array<ArrayBuffer> {
  const shape = ["batch", "length"];
  const values = (length: number) => Float32Array.from({ length }, (_, at) => Math.sin(at));
  return writeOnnx({
    inputs: ["input_ids", "attention_mask"].map((name) => ({ name, type: "INT64", shape })),
    outputs: [{ name: "logits", type: "FP32", shape: ["batch", classes] }],
    nodes: [
      { op: "Gather", inputs: ["table", "input_ids"], outputs: ["vectors"] },
      { op: "Cast", inputs: ["attention_mask"], outputs: ["mask"], attributes: { to: 1 } },
      { op: "Unsqueeze", inputs: ["mask", "last"], outputs: ["column"] },
      { op: "Mul", inputs: ["vectors", "column"], outputs: ["masked"] },
      { op: "ReduceMean", inputs: ["masked"], outputs: ["mean"], attributes: { axes: [1], keepdims: 0 } },
      { op: "MatMul", inputs: ["mean", "head"], outputs: ["logits"] },
    ],
    initialisers: [
      { name: "table", type: "FP32", shape: [vocabulary, 4], data: values(vocabulary * 4) },
      { name: "head", type: "FP32", shape: [4, classes], data: values(4 * classes) },
      { name: "last", type: "INT64", shape: [1], data: BigInt64Array.of(2n) },
    ],
  });
}

/** A loop that counts to a number it never reaches. */
export function endlessGraph(): Uint8Array<ArrayBuffer> {
  const scalar = (name: string, type: "INT64" | "BOOL", data: ArrayBufferView) => ({ name, type, shape: [], data });
  const body = {
    inputs: [
      { name: "turn", type: "INT64", shape: [] },
      { name: "going", type: "BOOL", shape: [] },
      { name: "before", type: "FP32", shape: ["batch", 1] },
    ],
    outputs: [
      { name: "on", type: "BOOL", shape: [] },
      { name: "after", type: "FP32", shape: ["batch", 1] },
    ],
    nodes: [
      { op: "Identity", inputs: ["going"], outputs: ["on"] },
      { op: "Sin", inputs: ["before"], outputs: ["after"] },
    ],
  } as const;
  return writeOnnx({
    inputs: [{ name: "x", type: "FP32", shape: ["batch", 1] }],
    outputs: [{ name: "y", type: "FP32", shape: ["batch", 1] }],
    initialisers: [scalar("turns", "INT64", BigInt64Array.of(2n ** 60n)), scalar("yes", "BOOL", Uint8Array.of(1))],
    nodes: [{ op: "Loop", inputs: ["turns", "yes", "x"], outputs: ["y"], attributes: { body: { graph: body } } }],
  });
}
