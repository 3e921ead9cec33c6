import { expect, test } from "vitest";
import { priorityOf } from "./urgency.ts";

test("a signed request is as urgent as it says, and normal when it says nothing", () => {
  const said = ["high", "normal", "low", null].map((header) => priorityOf(header, true));
  expect(said).toEqual([0, 1, 2, 1].map((value) => ({ ok: true, value })));
});

test("a request that is not signed may stand back and not push ahead", () => {
  const said = ["high", "normal", "low"].map((header) => priorityOf(header, false));
  expect(said).toEqual([1, 1, 2].map((value) => ({ ok: true, value })));
});

test.each(["", "HIGH", "0", "urgent"])("the priority '%s' is refused, and the words it may be are named", (header) => {
  expect(priorityOf(header, true)).toMatchObject({
    fault: { code: "invalid_header", issues: [{ message: "Expected one of high, normal, low." }] },
  });
});
