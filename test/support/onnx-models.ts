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
