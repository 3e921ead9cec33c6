import { expect, test } from "vitest";
import { shareOf, urgencyOf } from "./share.ts";

test.each([
  [1, 5, undefined],
  [1, 4, "high"],
  [1, 6, "low"],
  [2, 5, "high"],
  [0.5, 5, "low"],
])("a tenant of weight %d and priority %d is as urgent as %s at an origin", (weight, priority, urgency) => {
  expect(urgencyOf(shareOf("acme", { weight, priority }))).toBe(urgency);
});

test("what nobody waits for comes last", () => {
  expect(urgencyOf(undefined)).toBe("low");
});
