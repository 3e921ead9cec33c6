import type { Scope } from "@ledge/contract";
import { expect, test } from "vitest";
import { allows } from "./scope.ts";

const scopes: readonly Scope[] = [
  { actions: ["infer"], models: ["intent@2", "team-*"] },
  { actions: ["chat", "embed"], models: ["embed", "tiny-chat"] },
];

test.each([
  ["infer", "intent", "2", true],
  ["infer", "intent", "1", false],
  ["infer", "intent", undefined, true],
  ["infer", "team-a", "7", true],
  ["infer", "teams", "7", false],
  ["infer", "embed", "1", false],
  ["embed", "embed", "9", true],
  ["embed", "embed-static", "1", false],
  ["chat", "intent", "2", false],
] as const)("a scope allows %s with %s@%s: %s", (action, model, version, allowed) => {
  expect(allows(scopes, action, model, version)).toBe(allowed);
});

test("nothing is allowed without a scope, and '*' stands for every model", () => {
  expect(allows([], "infer", "intent")).toBe(false);
  expect(allows([{ actions: ["infer"], models: ["*"] }], "infer", "intent", "3")).toBe(true);
});
