import fc from "fast-check";
import { expect, test } from "vitest";
import { earn, fullBudget, hedgeBudget, retryBudget, spend } from "./budget.ts";

test.each([
  ["retries are at most a tenth of the calls and the reserve", retryBudget, 0.1],
  ["hedges are at most a twentieth of the calls", hedgeBudget, 0.05],
] as const)("%s, whatever fails and when", (_name, rule, share) => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 2_000 }), (events) => {
      let budget = fullBudget(rule);
      let [calls, sent] = [0, 0];
      for (const isCall of events) {
        if (isCall) {
          calls++;
          budget = earn(rule, budget);
        } else {
          const [may, next] = spend(budget);
          budget = next;
          if (may) sent++;
        }
      }
      expect(sent).toBeLessThanOrEqual(rule.reserve + share * calls + 1e-9);
    }),
  );
});

test("the first calls of an isolate can be retried", () => {
  expect(spend(fullBudget(retryBudget))[0]).toBe(true);
});

test("what is saved up in quiet hours does not buy a storm", () => {
  let budget = fullBudget(retryBudget);
  for (let call = 0; call < 1_000_000; call++) budget = earn(retryBudget, budget);
  expect(budget.left).toBe(retryBudget.savedMax);
});
