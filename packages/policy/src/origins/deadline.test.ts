import { expect, test } from "vitest";
import { timeLeftMs } from "./deadline.ts";

test.each([
  ["no deadline", null, 10_000],
  ["one that is none", "soon", 10_000],
  ["the same by a clock that is a second ahead", "1009000", 10_000],
  ["one that came nearer on the way", "1003000", 5_000],
  ["one that has passed", "997000", -1_000],
] as const)("of ten seconds with %s is left what the caller still waits", (_name, deadline, left) => {
  expect(timeLeftMs(10_000, deadline, 1_000_000)).toBe(left);
});
