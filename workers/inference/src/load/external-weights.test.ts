import * as fc from "fast-check";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { type Graph, writeOnnx } from "../../../../test/support/onnx/write-onnx.ts";
import { withExternalWeights } from "./external-weights.ts";

const weights = Float32Array.from({ length: 512 }, (_, at) => at / 7);
const graph: Graph = {
  inputs: [{ name: "x", datatype: "FP32", shape: [512] }],
  outputs: [{ name: "y", datatype: "FP32", shape: [512] }],
  initializers: [
    { name: "w", datatype: "FP32", shape: [512], data: weights },
    { name: "few", datatype: "FP32", shape: [1], data: Float32Array.of(2) },
  ],
  nodes: [
    { op: "Add", inputs: ["x", "w"], outputs: ["sum"] },
    { op: "Mul", inputs: ["sum", "few"], outputs: ["y"] },
  ],
};
const file = writeOnnx(graph);

describe("a graph whose weights are moved out", () => {
  test("gives what it gave, with the file itself as its external data", async () => {
    const moved = withExternalWeights(file, "weights");
    expect(moved.length).toBeLessThan(file.length - weights.byteLength + 200);
    const session = await ort.InferenceSession.create(moved, { externalData: [{ path: "weights", data: file }] });
    const { y } = await session.run({ x: new ort.Tensor("float32", new Float32Array(512).fill(1), [512]) });
    expect(y?.data).toEqual(weights.map((weight) => (weight + 1) * 2));
  });

  test("points at the bytes of each weight in the file", () => {
    const text = new TextDecoder("latin1").decode(withExternalWeights(file, "weights"));
    const offset = Number(/offset[^0-9]+([0-9]+)/.exec(text)?.[1]);
    const bytes = file.slice(offset, offset + weights.byteLength);
    expect(new Float32Array(bytes.buffer)).toEqual(weights);
  });

  test("keeps small constants where they are, and a file without large ones byte for byte", () => {
    const small = writeOnnx({
      ...graph,
      initializers: [{ name: "w", datatype: "FP32", shape: [1], data: Float32Array.of(1) }],
    });
    expect(withExternalWeights(small, "weights")).toEqual(small);
  });

  test("is left alone when it is no graph, however it is broken", () => {
    for (const length of [0, 1, 20, 100, file.length - 1]) {
      const torn = file.slice(0, length);
      expect(withExternalWeights(torn, "weights")).toEqual(torn);
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void withExternalWeights(bytes, "weights")));
  });
});
