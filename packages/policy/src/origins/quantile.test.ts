import { expect, test } from "vitest";
import { noQuantile, sampled, slowerThan95, slowest } from "./quantile.ts";

function numbers(seed: number) {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test.each([
  ["evenly spread", (random: () => number) => 10 + 90 * random(), 95.5],
  ["with a long tail", (random: () => number) => -20 * Math.log(1 - random()), 59.9],
] as const)("the slowest twentieth is found among times %s, to a fifth", (_name, timeOf, truth) => {
  const random = numbers(11);
  let quantile = noQuantile;
  const tail: number[] = [];
  for (let call = 0; call < 6_000; call++) {
    quantile = sampled(quantile, slowest, timeOf(random));
    if (call >= 1_000) tail.push(quantile.valueMs);
  }
  const mean = tail.reduce((sum, value) => sum + value, 0) / tail.length;
  expect(Math.abs(mean - truth)).toBeLessThan(truth / 5);
});

test("nothing is called slow before fifty calls were seen", () => {
  let quantile = noQuantile;
  for (let call = 0; call < 49; call++) quantile = sampled(quantile, slowest, 10);
  expect(slowerThan95(quantile)).toBeUndefined();
  expect(slowerThan95(sampled(quantile, slowest, 10))).toBeGreaterThan(0);
});
