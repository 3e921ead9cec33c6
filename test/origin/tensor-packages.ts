import type { ElementType, Graph } from "../support/onnx/write-onnx.ts";
import { writePackage } from "./graph-packages.ts";
import { extremes } from "./infer-conformance.ts";

/** `pair` and `echo` as ONNX: see `TensorEngines`. */

const value = (name: string, datatype: ElementType, dim: number) => ({ name, datatype, shape: [-1, dim] });

const pair: Graph = {
  inputs: [value("a", "FP32", 4), value("b", "FP32", 4)],
  outputs: [value("sum", "FP32", 4), value("difference", "FP32", 4)],
  nodes: [
    { op: "Add", inputs: ["a", "b"], outputs: ["sum"] },
    { op: "Sub", inputs: ["a", "b"], outputs: ["difference"] },
  ],
};

const types = Object.keys(extremes) as ElementType[];
const echo: Graph = {
  inputs: types.map((type) => value(`in_${type}`, type, -1)),
  outputs: types.map((type) => value(`out_${type}`, type, -1)),
  nodes: types.map((type) => ({ op: "Identity", inputs: [`in_${type}`], outputs: [`out_${type}`] })),
};

/** Writes both into a folder of models. */
export async function writeTensorPackages(modelsDir: string): Promise<void> {
  await writePackage(modelsDir, "pair", { task: "tensor", graph: pair });
  await writePackage(modelsDir, "echo", { task: "tensor", graph: echo });
}
