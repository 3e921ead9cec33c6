import fc from "fast-check";
import { expect, test } from "vitest";
import { drawToken, seededRandom } from "./sampler.ts";

const logits = Float32Array.from([0, 3, 1, -Infinity, 2]);

function shares(temperature: number, topP: number): number[] {
  const random = seededRandom(7);
  const counts = new Array<number>(logits.length).fill(0);
  for (let draw = 0; draw < 20_000; draw++) {
    const id = drawToken(logits, temperature, topP, random);
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts.map((count) => count / 20_000);
}

test("temperature 0 takes the likeliest token and draws no random number", () => {
  const draw = () =>
    drawToken(logits, 0, 1, () => {
      throw new Error("drawn");
    });
  expect(draw()).toBe(1);
});

test("tokens are drawn as often as softmax says", () => {
  const total = Math.exp(0) + Math.exp(3) + Math.exp(1) + Math.exp(2);
  const expected = [0, 3, 1, -Infinity, 2].map((logit) => Math.exp(logit) / total);
  shares(1, 1).forEach((share, id) => {
    expect(share).toBeCloseTo(expected[id] ?? 0, 1.5);
  });
});

test("a token outside the nucleus is never drawn", () => {
  const [zero, first, second, never, third] = shares(1, 0.7);
  expect([zero, second, never]).toEqual([0, 0, 0]);
  expect((first ?? 0) + (third ?? 0)).toBe(1);
});

test("a tiny temperature is the likeliest token, not a division by zero", () => {
  expect(drawToken(logits, 1e-300, 1, seededRandom(1))).toBe(1);
});

test("the same seed draws the same numbers, another seed others", () => {
  const numbers = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 8 }, random);
  };
  expect(numbers(42)).toEqual(numbers(42));
  expect(numbers(42)).not.toEqual(numbers(43));
  expect(numbers(2 ** 40)).not.toEqual(numbers(2 ** 41));
});

test("whatever the logits and the parameters, a token that exists is drawn", () => {
  const anyLogits = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true, min: -100, max: 100 });
  const unit = fc.double({ min: 1e-6, max: 1, noNaN: true });
  fc.assert(
    fc.property(anyLogits, unit, unit, fc.maxSafeInteger(), (values, temperature, topP, seed) => {
      const id = drawToken(values, temperature * 2, topP, seededRandom(seed));
      expect(id).toBeGreaterThanOrEqual(0);
      expect(id).toBeLessThan(values.length);
    }),
  );
});
