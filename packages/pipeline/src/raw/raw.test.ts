import { datatype, type Tensors } from "@ledge/contract";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkTensors } from "./check-tensors.ts";
import { zeroTensors } from "./zero-tensors.ts";

const spec = fc.record({
  datatype: fc.constantFrom(...datatype.options),
  shape: fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 4 }),
});
const specs = fc
  .array(spec, { minLength: 1, maxLength: 4 })
  .map((list) => list.map((each, at) => ({ name: `t${at}`, ...each })));

describe("zeros for a graph", () => {
  test("fit it, whatever its datatypes and shapes", () => {
    fc.assert(
      fc.property(specs, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }), (inputs, rows, length) => {
        const zeros = zeroTensors(inputs, rows, length);
        expect(checkTensors({ inputs, outputs: [] }, zeros ?? {})).toEqual({ ok: true });
      }),
    );
  });

  test("are not made when they would be huge", () => {
    const huge = [{ name: "x", datatype: "FP32" as const, shape: [1, 65_536, 65_536] }];
    expect(zeroTensors(huge, 1, 1)).toBeUndefined();
  });
});

describe("raw tensors", () => {
  const graph = {
    inputs: [{ name: "x", datatype: "FP32" as const, shape: [-1, 2] }],
    outputs: [{ name: "y", datatype: "FP32" as const, shape: [-1] }],
  };
  const x = { datatype: "FP32", shape: [1, 2], data: new Float32Array(2) } as const;

  test.each<[string, Tensors, readonly string[], RegExp]>([
    ["a missing input", {}, [], /x is missing/],
    ["an input too many", { x, z: x }, [], /no input z/],
    ["another datatype", { x: { datatype: "FP64", shape: [1, 2], data: new Float64Array(2) } }, [], /takes FP32/],
    ["another rank", { x: { ...x, shape: [2] } }, [], /takes \[-1, 2\]/],
    ["another dimension", { x: { ...x, shape: [2, 1] } }, [], /takes \[-1, 2\]/],
    ["less data than the shape says", { x: { ...x, shape: [9, 2] } }, [], /says 18/],
    ["an output that is not there", { x }, ["y", "q"], /no output q/],
  ])("with %s are refused, and what is wrong is named", (_what, tensors, wanted, says) => {
    const checked = checkTensors(graph, tensors, wanted);
    expect(checked).toMatchObject({ ok: false, fault: { code: "invalid_shape" } });
    if (!checked.ok) expect(checked.fault.detail).toMatch(says);
  });
});
