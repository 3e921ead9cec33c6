import { expect, test } from "vitest";
import { separationOf } from "./separation.ts";

const times = (count: number, from: number, step: number) => Array.from({ length: count }, (_, i) => from + i * step);

test("equal samples do not lie apart", () => {
  const { share, deviations } = separationOf(times(100, 1, 0.1), times(100, 1, 0.1));
  expect([share, deviations]).toEqual([0.5, 0]);
});

test("samples of which every time of one is longer lie wholly apart, either way round", () => {
  expect(separationOf(times(100, 20, 0.1), times(100, 1, 0.1)).share).toBe(1);
  expect(separationOf(times(100, 1, 0.1), times(100, 20, 0.1)).share).toBe(0);
});

test("one long pause changes next to nothing", () => {
  const [calm, paused] = [times(100, 1, 0.1), [...times(99, 1, 0.1), 60_000]];
  expect(Math.abs(separationOf(paused, calm).deviations)).toBeLessThan(0.1);
});

test("a shift of a fifth of the spread is seen in 300 pairs", () => {
  expect(separationOf(times(300, 1.2, 1 / 300), times(300, 1, 1 / 300)).deviations).toBeGreaterThan(3);
});
