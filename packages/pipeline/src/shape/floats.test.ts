import { expect, test } from "vitest";
import { floatsOf } from "./floats.ts";

test("every half float is the number that its bits say", () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, at) => at);
  const floats = floatsOf({ datatype: "FP16", shape: [65_536], data: bits }) ?? new Float32Array(0);
  // ECMAScript 2025 has the type; the runtimes this package is for do not all have it yet.
  const { Float16Array: Half } = globalThis as unknown as { Float16Array: new (of: ArrayBuffer) => ArrayLike<number> };
  expect(floats).toEqual(Float32Array.from(new Half(bits.buffer)));
});

test("doubles are rounded to singles, singles stay, and other datatypes are no floats", () => {
  const doubles = floatsOf({ datatype: "FP64", shape: [2], data: Float64Array.of(0.1, 1e300) });
  expect(doubles).toEqual(Float32Array.of(Math.fround(0.1), Number.POSITIVE_INFINITY));
  const data = Float32Array.of(1, 2);
  expect(floatsOf({ datatype: "FP32", shape: [2], data })).toBe(data);
  expect(floatsOf({ datatype: "INT32", shape: [1], data: Int32Array.of(1) })).toBeUndefined();
  expect(floatsOf(undefined)).toBeUndefined();
});
