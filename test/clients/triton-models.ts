import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ElementType, type Graph, type Value, writeOnnx } from "../support/onnx/write-onnx.ts";

/** The models that test/clients/triton asks for, as ONNX files with Triton's configuration beside them. */

const numbers = "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64".split(" ") as ElementType[];

function value(name: string, datatype: ElementType, dims: readonly number[]): Value {
  return { name, datatype, shape: [-1, ...dims] };
}

const pair: Graph = {
  inputs: [value("a", "FP32", [4]), value("b", "FP32", [4])],
  outputs: [value("sum", "FP32", [4]), value("difference", "FP32", [4])],
  nodes: [
    { op: "Add", inputs: ["a", "b"], outputs: ["sum"] },
    { op: "Sub", inputs: ["a", "b"], outputs: ["difference"] },
  ],
};

function echo(ends: readonly (readonly [ElementType, number])[]): Graph {
  return {
    inputs: ends.map(([type, dim]) => value(`in_${type}`, type, [dim])),
    outputs: ends.map(([type, dim]) => value(`out_${type}`, type, [dim])),
    nodes: ends.map(([type]) => ({ op: "Identity", inputs: [`in_${type}`], outputs: [`out_${type}`] })),
  };
}

const models: Readonly<Record<string, Graph>> = {
  pair,
  echo: echo([...numbers.map((type) => [type, -1] as const), ["BYTES", -1]]),
  echo_fp32: echo([["FP32", -1]]),
  echo_bytes: echo([["BYTES", 1]]),
};

/** Writes each model's folder: `config.json` and `model.onnx`. */
export function writeTritonModels(root: string): void {
  for (const [name, graph] of Object.entries(models)) {
    const dir = join(root, name);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "model.onnx"), writeOnnx(graph));
    const side = (values: readonly Value[]) =>
      values.map(({ name, datatype, shape }) => {
        const type = datatype === "BYTES" ? "STRING" : datatype;
        return { name, data_type: `TYPE_${type}`, dims: shape.slice(1) };
      });
    const config = { name, max_batch_size: 8, input: side(graph.inputs), output: side(graph.outputs) };
    writeFileSync(join(dir, "config.json"), JSON.stringify(config));
  }
}
