import { expect, test } from "vitest";
import { compareOutputs } from "./compare.ts";

const fp32 = (...values: number[]) =>
  ({ datatype: "FP32", shape: [values.length], data: Float32Array.from(values) }) as const;

test("floats differ by the largest difference, and by its share of the largest magnitude", () => {
  const difference = compareOutputs({ y: fp32(1, 2, -4.5) }, { y: fp32(1, 2, -4) });
  expect(difference).toEqual({ maxAbs: 0.5, maxRel: 0.125, unequal: 0 });
});

test("equal infinities and NaN agree; one of them against a number is as far apart as can be", () => {
  const same = fp32(Number.NaN, Number.POSITIVE_INFINITY, 0);
  expect(compareOutputs({ y: same }, { y: same })).toEqual({ maxAbs: 0, maxRel: 0, unequal: 0 });
  expect(compareOutputs({ y: fp32(Number.NaN) }, { y: fp32(1) }).maxAbs).toBe(Number.POSITIVE_INFINITY);
});

test("halves are compared by value, whole numbers and texts by being equal", () => {
  const half = (bits: number) => ({ datatype: "FP16", shape: [1], data: Uint16Array.of(bits) }) as const;
  expect(compareOutputs({ y: half(0x3c00) }, { y: half(0x4000) })).toMatchObject({ maxAbs: 1, maxRel: 0.5 });
  const texts = (...data: string[]) => ({ datatype: "BYTES", shape: [2], data }) as const;
  expect(compareOutputs({ y: texts("a", "b") }, { y: texts("a", "c") }).unequal).toBe(0.5);
});

test("an output that is missing or of another shape is as far apart as can be", () => {
  expect(compareOutputs({}, { y: fp32(1) }).maxRel).toBe(Number.POSITIVE_INFINITY);
  expect(compareOutputs({ y: fp32(1, 1) }, { y: fp32(1) }).maxRel).toBe(Number.POSITIVE_INFINITY);
});
