import { expect, test } from "vitest";
import { parseModelRef, resolveModel } from "./model-ref.ts";

test("a name may carry a version", () => {
  expect(parseModelRef("intent")).toEqual({ name: "intent" });
  expect(parseModelRef("intent@12")).toEqual({ name: "intent", version: "12" });
});

test.each(["", "Intent", "a@", "a@x", "a@1@2", "../etc", "a b", "@1", "a".repeat(65)])("%o is no model", (text) => {
  expect(parseModelRef(text)).toBeUndefined();
});

const models = [
  { name: "a", version: "9" },
  { name: "a", version: "10" },
  { name: "b", version: "1" },
];

test("no version means the numerically newest", () => {
  expect(resolveModel(models, { name: "a" })?.version).toBe("10");
});

test("a version that is not deployed is not replaced by another", () => {
  expect(resolveModel(models, { name: "a", version: "8" })).toBeUndefined();
});
