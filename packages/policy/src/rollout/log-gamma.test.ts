import fc from "fast-check";
import { expect, test } from "vitest";
import { logBeta, logGamma } from "./log-gamma.ts";

test("ln Γ of whole and half numbers is what the closed forms say", () => {
  let factorial = 0;
  for (let n = 1; n <= 170; n++) {
    expect(logGamma(n)).toBeCloseTo(factorial, 10);
    factorial += Math.log(n);
  }
  expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 12);
  expect(logGamma(1.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI) / 2), 12);
});

test("Γ(x + 1) = x Γ(x), from a thousandth to ten million", () => {
  fc.assert(
    fc.property(fc.double({ min: -3, max: 7, noNaN: true }), (exponent) => {
      const x = 10 ** exponent;
      const next = logGamma(x + 1);
      expect(Math.abs(next - logGamma(x) - Math.log(x))).toBeLessThan(1e-11 * Math.max(1, Math.abs(next)));
    }),
  );
});

test("the beta function agrees with its whole-number form", () => {
  // B(a, b) = (a − 1)! (b − 1)! / (a + b − 1)!
  expect(logBeta(3, 4)).toBeCloseTo(Math.log((2 * 6) / 720), 12);
  expect(logBeta(0.5, 0.5)).toBeCloseTo(Math.log(Math.PI), 12);
});
