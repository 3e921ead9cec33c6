import type { Datatype } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageOf } from "../support/model-package.ts";
import { identity, graphPackage as packaged, value } from "../support/onnx/graph-package.ts";
import { type Graph, writeOnnx } from "../support/onnx/write-onnx.ts";
import { startInference } from "./inference-harness.ts";
import type { TensorsJson } from "./inference-tensors.ts";

/** Any ONNX graph, by raw tensors. */

const { harness, infer, store } = startInference();

beforeAll(() => harness.listen());
afterAll(() => harness.close());

const samples: readonly (readonly [Datatype, readonly (number | string)[]])[] = [
  ["BOOL", [1, 0, 0, 1]],
  ["UINT8", [0, 255, 7, 9]],
  ["INT8", [-128, 127, 0, 1]],
  ["UINT16", [0, 65535, 1, 2]],
  ["INT16", [-32768, 32767, 1, 2]],
  ["UINT32", [0, 4294967295, 1, 2]],
  ["INT32", [-2147483648, 2147483647, 1, 2]],
  ["UINT64", ["0", "18446744073709551615", "1", "2"]],
  ["INT64", ["-9223372036854775808", "9223372036854775807", "1", "2"]],
  ["FP16", [15360, 49152, 0, 31743]],
  ["FP32", [0.5, -1.25, 3, 4]],
  ["FP64", [0.1, -1e300, 3, 4]],
  ["BYTES", ["", "naïve ☃ 😀", "two words", "x"]],
];

async function answer(call: Parameters<typeof infer>[0][number], worker = "edge"): Promise<TensorsJson> {
  const [given] = await infer([call], worker);
  if (given?.ok !== true) throw new Error(`${given?.fault.code}: ${given?.fault.detail} ${given?.fault.cause}`);
  return given.value.outputs;
}

describe("any valid ONNX file works", () => {
  test.each(samples)("with %s tensors, in and out unchanged", async (datatype, data) => {
    const ref = await store(packaged(`identity-${datatype.toLowerCase()}`, identity(datatype)));
    const x = { datatype, shape: [2, 2], data };
    expect(await answer({ ...ref, inputs: { x } })).toEqual({ y: x });
  });

  test("with several inputs and outputs of different types, any of which may be asked for", async () => {
    const graph: Graph = {
      inputs: [value("a", "FP32", [2]), value("b", "INT64", [2])],
      outputs: [value("double", "FP32", [2]), value("same", "INT64", [2])],
      nodes: [
        { op: "Add", inputs: ["a", "a"], outputs: ["double"] },
        { op: "Identity", inputs: ["b"], outputs: ["same"] },
      ],
    };
    const ref = await store(packaged("several", graph));
    const a = { datatype: "FP32", shape: [2], data: [1, 2] } as const;
    const b = { datatype: "INT64", shape: [2], data: ["3", "4"] } as const;
    expect(await answer({ ...ref, inputs: { a, b } })).toEqual({ double: { ...a, data: [2, 4] }, same: b });
    expect(await answer({ ...ref, inputs: { a, b }, outputs: ["same"] })).toEqual({ same: b });
  });

  test("with dynamic axes, each call of another shape", async () => {
    const graph: Graph = {
      inputs: [value("x", "FP32", [-1, -1])],
      outputs: [value("sum", "FP32", [-1])],
      nodes: [{ op: "ReduceSum", inputs: ["x", "axis"], outputs: ["sum"], attributes: { keepdims: 0 } }],
      initializers: [{ ...value("axis", "INT64", [1]), data: BigInt64Array.of(1n) }],
    };
    const ref = await store(packaged("sums", graph));
    for (const [rows, columns] of [
      [1, 3],
      [4, 2],
      [2, 7],
    ] as const) {
      const x = { datatype: "FP32", shape: [rows, columns], data: new Array(rows * columns).fill(2) } as const;
      expect((await answer({ ...ref, inputs: { x } })).sum).toMatchObject({ data: new Array(rows).fill(2 * columns) });
    }
  });

  test("with state that goes in and out as tensors, call by call", async () => {
    const graph: Graph = {
      inputs: [value("x", "FP32", [1]), value("state", "FP32", [1])],
      outputs: [value("next", "FP32", [1])],
      nodes: [{ op: "Add", inputs: ["x", "state"], outputs: ["next"] }],
    };
    const ref = await store(packaged("stateful", graph));
    let state: TensorsJson[string] = { datatype: "FP32", shape: [1], data: [0] };
    for (const x of [1, 2, 3, 4]) {
      const given = await answer({ ...ref, inputs: { x: { datatype: "FP32", shape: [1], data: [x] }, state } });
      state = given.next ?? state;
    }
    expect(state.data).toEqual([10]);
  });

  test("with external data in another file of its package, in the graph's folder", async () => {
    const weights = Float32Array.from({ length: 1024 }, (_, at) => at);
    const graph: Graph = {
      inputs: [value("x", "FP32", [1024])],
      outputs: [value("y", "FP32", [1024])],
      initializers: [{ ...value("w", "FP32", [1024]), external: { location: "weights.bin", offset: 0, length: 4096 } }],
      nodes: [{ op: "Add", inputs: ["x", "w"], outputs: ["y"] }],
    };
    const files = { "onnx/model.onnx": writeOnnx(graph), "onnx/weights.bin": new Uint8Array(weights.buffer) };
    const ref = await store(
      packageOf("external", files, { inputs: [...graph.inputs], outputs: [...graph.outputs] } as never),
    );
    const x = { datatype: "FP32", shape: [1024], data: new Array(1024).fill(1) } as const;
    expect((await answer({ ...ref, inputs: { x } })).y?.data.slice(0, 3)).toEqual([1, 2, 3]);
  });
});

describe("raw tensors that do not fit the graph", () => {
  const x = { datatype: "FP32", shape: [1, 2], data: [1, 2] } as const;
  const cases: readonly (readonly [what: string, inputs: TensorsJson, outputs: string[] | undefined, says: RegExp])[] =
    [
      ["lack an input", {}, undefined, /input x is missing/],
      ["bring one too many", { x, z: x }, undefined, /no input z/],
      ["have another datatype", { x: { ...x, datatype: "INT32" } }, undefined, /INT32; the model takes FP32/],
      ["have another shape", { x: { ...x, shape: [2, 1] } }, undefined, /\[2, 1\]; the model takes \[-1, 2\]/],
      [
        "have fewer elements than their shape says",
        { x: { ...x, data: [1] } },
        undefined,
        /1 elements; its shape says 2/,
      ],
      ["ask for an output that is not there", { x }, ["z"], /no output z/],
    ];

  test.each(cases)("%s are refused with the reason, and nothing is run", async (_, inputs, outputs, says) => {
    const ref = await store(packaged("picky", identity("FP32")));
    const [given] = await infer([{ ...ref, inputs, ...(outputs === undefined ? {} : { outputs }) }]);
    expect(given).toMatchObject({ ok: false, fault: { code: "invalid_shape" } });
    if (given?.ok === false) expect(given.fault.detail).toMatch(says);
  });
});
