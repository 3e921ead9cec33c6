import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sumOfExponentials } from "./exponential.ts";

const below = fc.float({ min: -60, max: 0, noNaN: true });

test("the sum of exponentials is exact to 10^-13 of itself", () => {
  fc.assert(
    fc.property(fc.array(below, { maxLength: 300 }), fc.constantFrom(0, 1.5, -1e6, 1e30), (rest, highest) => {
      const values = Float32Array.from([0, ...rest], (value) => highest + value);
      const exact = values.reduce((sum, value) => sum + Math.exp(value - (values[0] ?? 0)), 0);
      expect(Math.abs(sumOfExponentials(values, values[0] ?? 0) / exact - 1)).toBeLessThan(1e-13);
    }),
  );
});

test("every step of the exponential's table is exact to 10^-13 of itself", () => {
  for (let x = 0; x >= -44; x -= 1 / 256) {
    const rest = sumOfExponentials(Float32Array.of(x), 0);
    expect(Math.abs(rest / Math.exp(x) - 1)).toBeLessThan(1e-13);
  }
});

test("the sum of exponentials of the highest alone is 1, however far the others lie below", () => {
  expect(sumOfExponentials(Float32Array.of(1e30, -1e30), Math.fround(1e30))).toBe(1);
  expect(sumOfExponentials(Float32Array.of(0, -44.5, -1e30), 0)).toBe(1);
});
