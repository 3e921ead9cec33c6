import { expect, test } from "vitest";
import { timeoutOf } from "./deadline.ts";

const rule = { defaultMs: 30_000, maxMs: 120_000 };

test.each([
  [null, 30_000],
  ["1", 1],
  ["5000", 5_000],
  ["999999999", 120_000],
])("the header %o gives %o ms", (header, timeoutMs) => {
  expect(timeoutOf(rule, header)).toBe(timeoutMs);
});

test.each(["", "0", "-1", "1.5", "1e3", "soon", " 5", "99999999999"])("%o is refused", (header) => {
  expect(timeoutOf(rule, header)).toBeUndefined();
});
