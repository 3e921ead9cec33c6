import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Datatype, Tensors } from "@ledge/contract";
import type { ElementType, Node } from "../support/onnx/write-onnx.ts";
import type { WrittenPackage } from "./graph-packages.ts";

const golden = join(import.meta.dirname, "..", "..", "packages", "pipeline", "golden");
export const readGolden = (name: string) => readFileSync(join(golden, `${name}.golden.json`), "utf8");

/** Two elements of every datatype, its extremes where it has some. */
export const everyType: Tensors = {
  BOOL: { datatype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) },
  UINT8: { datatype: "UINT8", shape: [2], data: Uint8Array.of(0, 255) },
  UINT16: { datatype: "UINT16", shape: [2], data: Uint16Array.of(0, 65_535) },
  UINT32: { datatype: "UINT32", shape: [2], data: Uint32Array.of(0, 4_294_967_295) },
  UINT64: { datatype: "UINT64", shape: [2], data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
  INT8: { datatype: "INT8", shape: [2], data: Int8Array.of(-128, 127) },
  INT16: { datatype: "INT16", shape: [2], data: Int16Array.of(-32_768, 32_767) },
  INT32: { datatype: "INT32", shape: [2], data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) },
  INT64: { datatype: "INT64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
  FP16: { datatype: "FP16", shape: [2], data: Uint16Array.of(0x3c00, 0xfbff) },
  FP32: { datatype: "FP32", shape: [2], data: Float32Array.of(-0.1, 3e38) },
  FP64: { datatype: "FP64", shape: [2], data: Float64Array.of(-0.1, 1e308) },
  BYTES: { datatype: "BYTES", shape: [2], data: ["", "Grüße 😀"] },
};

export const value = (name: string, datatype: ElementType, shape: readonly number[]) => ({ name, datatype, shape });
const node = (op: string, inputs: readonly string[], outputs: readonly string[], attributes?: Node["attributes"]) =>
  attributes === undefined ? { op, inputs, outputs } : { op, inputs, outputs, attributes };
const constant = (name: string, datatype: ElementType, shape: readonly number[], data: ArrayBufferView) => ({
  ...value(name, datatype, shape),
  data,
});
const ints = (name: string, ...numbers: number[]) =>
  constant(name, "INT64", [numbers.length], BigInt64Array.from(numbers, BigInt));

/** The vector of token `id` is [id, 1]. */
const vectors = Float32Array.from({ length: 2 * 1200 }, (_, at) => (at % 2 === 0 ? at / 2 : 1));

/** Small models, one of each kind. */
export const packages: Readonly<Record<string, WrittenPackage>> = {
  echo: {
    task: "tensor",
    graph: {
      inputs: Object.keys(everyType).map((type) => value(`in_${type}`, type as Datatype, [-1])),
      outputs: Object.keys(everyType).map((type) => value(`out_${type}`, type as Datatype, [-1])),
      nodes: Object.keys(everyType).map((type) => node("Identity", [`in_${type}`], [`out_${type}`])),
    },
  },
  counter: {
    task: "tensor",
    graph: {
      inputs: [value("step", "INT64", [1]), value("state", "INT64", [1])],
      outputs: [value("total", "INT64", [1]), value("next_state", "INT64", [1])],
      nodes: [node("Add", ["step", "state"], ["next_state"]), node("Identity", ["next_state"], ["total"])],
    },
  },
  beside: {
    task: "tensor",
    files: { "weights/w.bin": new Uint8Array(Float32Array.of(0, 0, 10, 20).buffer) },
    graph: {
      inputs: [value("x", "FP32", [-1, 2])],
      outputs: [value("y", "FP32", [-1, 2])],
      initializers: [{ ...value("w", "FP32", [2]), external: { location: "weights/w.bin", offset: 8, length: 8 } }],
      nodes: [node("Add", ["x", "w"], ["y"])],
    },
  },
  embedder: {
    task: "embedding",
    files: { "tokenizer.json": readGolden("wordpiece") },
    preprocess: {
      kind: "tokenizer",
      tokenizer: "tokenizer.json",
      maxTokens: 16,
      padId: 0,
      inputs: { ids: "ids", mask: "mask" },
    },
    postprocess: { kind: "embedding", pool: "mean", normalise: false, dimensions: 2 },
    graph: {
      inputs: [value("ids", "INT64", [-1, -1]), value("mask", "INT64", [-1, -1])],
      outputs: [value("vectors", "FP32", [-1, -1, 2]), value("length", "INT64", [-1, 1])],
      initializers: [constant("table", "FP32", [1200, 2], vectors), ints("axis", 1)],
      nodes: [node("Gather", ["table", "ids"], ["vectors"]), node("ReduceSum", ["mask", "axis"], ["length"])],
    },
  },
  colours: {
    task: "image-classification",
    files: { "labels.json": JSON.stringify(["red", "green", "blue"]) },
    preprocess: {
      kind: "image",
      size: [2, 2],
      resize: "cover",
      channels: 3,
      layout: "nchw",
      scale: 1 / 255,
      mean: [0],
      std: [1],
    },
    postprocess: { kind: "top-k", k: 2, labels: "labels.json" },
    graph: {
      inputs: [value("pixels", "FP32", [-1, 3, 2, 2])],
      outputs: [value("means", "FP32", [-1, 3])],
      initializers: [ints("axes", 2, 3)],
      nodes: [node("ReduceMean", ["pixels", "axes"], ["means"], { keepdims: 0 })],
    },
  },
  loudness: {
    task: "audio-classification",
    files: { "labels.json": JSON.stringify(["heard"]) },
    preprocess: { kind: "audio", sampleRate: 8000, samplesMax: 8000, pad: false, features: { kind: "raw" } },
    postprocess: { kind: "threshold", at: 0.5, labels: "labels.json" },
    graph: {
      inputs: [value("samples", "FP32", [-1, -1])],
      outputs: [value("peak", "FP32", [-1, 1])],
      initializers: [ints("axes", 1)],
      nodes: [node("ReduceMax", ["samples", "axes"], ["peak"], { keepdims: 1 })],
    },
  },
};
