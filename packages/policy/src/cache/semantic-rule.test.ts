import { expect, test } from "vitest";
import { semanticRule } from "./semantic-rule.ts";

test.each([
  ["off when nobody says anything", undefined, undefined, false],
  ["on when the policy says so", true, undefined, true],
  ["on when the call asks for it and the policy says nothing", undefined, true, true],
  ["off when the call wants none", true, false, false],
  ["off when the policy forbids it, whatever the call asks", false, true, false],
])("the semantic cache is %s", (_name, policy, asked, on) => {
  const rule = semanticRule(
    { semantic: policy === undefined ? {} : { enabled: policy } },
    asked === undefined ? {} : { semantic: asked },
  );
  expect(rule !== undefined).toBe(on);
});

test("a policy names other models, thresholds and bounds than the deployment's", () => {
  const semantic = {
    enabled: true,
    embedder: "mine",
    verifier: "judge",
    probability_min: 0.99,
    candidates_max: 4,
    entries_max: 7,
  };
  expect(semanticRule({ semantic }, {})).toMatchObject({
    embedder: "mine",
    verifier: "judge",
    probabilityMin: 0.99,
    candidatesMax: 4,
    entriesMax: 7,
  });
});
