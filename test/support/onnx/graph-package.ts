import type { Datatype } from "@ledge/contract";
import { packageOf } from "../model-package.ts";
import { type Graph, type Value, writeOnnx } from "./write-onnx.ts";

/** A package around a graph of test/support. */
export function graphPackage(
  name: string,
  graph: Graph,
  files: Readonly<Record<string, Uint8Array>> = {},
  batchMax?: number,
) {
  const { inputs, outputs } = graph;
  const limits = batchMax === undefined ? {} : { batchMax };
  return packageOf(name, { "model.onnx": writeOnnx(graph), ...files }, {
    inputs: [...inputs],
    outputs: [...outputs],
    limits,
  } as never);
}

export const value = (name: string, datatype: Datatype, shape: readonly number[]): Value => ({ name, datatype, shape });

/** `y` is `x`, unchanged, in one datatype. */
export const identity = (datatype: Datatype): Graph => ({
  inputs: [value("x", datatype, [-1, 2])],
  outputs: [value("y", datatype, [-1, 2])],
  nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
});
