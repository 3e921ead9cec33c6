import fc from "fast-check";
import { expect, test } from "vitest";
import { nestsDeeperThan } from "./json-depth.ts";

test("ten thousand nested arrays are found without parsing them", () => {
  expect(nestsDeeperThan("[".repeat(10_000) + "]".repeat(10_000), 64)).toBe(true);
});

test("brackets inside strings do not count, escaped quotes included", () => {
  expect(nestsDeeperThan(JSON.stringify(['[[[["[[[[', "\\", "{{{{"]), 1)).toBe(false);
});

test("it agrees with the depth of the parsed value", () => {
  const depth = (value: unknown): number =>
    typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 6 }), (value, depthMax) => {
      expect(nestsDeeperThan(JSON.stringify(value), depthMax)).toBe(depth(value) > depthMax);
    }),
  );
});
