import { expect, test } from "vitest";
import { modelRefText, parseModelRef } from "./model-ref.ts";

test("a name may carry a version or an alias", () => {
  expect(parseModelRef("intent")).toEqual({ name: "intent" });
  expect(parseModelRef("intent@12")).toEqual({ name: "intent", version: "12" });
  expect(parseModelRef("intent@canary-2")).toEqual({ name: "intent", alias: "canary-2" });
});

test.each(["intent", "intent@12", "intent@latest"])("%s is written as it was read", (text) => {
  const ref = parseModelRef(text);
  expect(ref && modelRefText(ref)).toBe(text);
});

test.each(["", "Intent", "a@", "a@X", "a@1x", "a@-x", "a@1@2", "../etc", "a b", "@1", "a".repeat(65)])(
  "%o is no model",
  (text) => {
    expect(parseModelRef(text)).toBeUndefined();
  },
);
