import type { LedgerRow } from "@ledge/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { costMax, costOf, costText, quotaUse } from "./cost.ts";

const price = {
  per_call: 100,
  per_million_input_tokens: 2_000_000,
  per_million_output_tokens: 5_000_000,
  per_edge_second: 1_000,
  per_gpu_second: 9_000,
  cache_hit_share: 0.1,
};
const call = { tier: "origin", kept: false, used: undefined, spared: undefined } as const;

test("a call costs the sum of its parts, in whole micro-cents, rounded once and half up", () => {
  const used = { inputTokens: 3, outputTokens: 4 };
  expect(costOf(price, { ...call, used })).toEqual({ cost: 126, listCost: 126, edgeSaved: 0 });
  // 0.25 + 0.25 is a half: rounded each by itself it would be nothing.
  const fine = { per_million_input_tokens: 250_000, per_million_output_tokens: 250_000 };
  expect(costOf(fine, { ...call, used: { inputTokens: 1, outputTokens: 1 } }).cost).toBe(1);
  expect(costOf(fine, { ...call, used: { inputTokens: 1, outputTokens: 0 } }).cost).toBe(0);
});

test("time is priced by where it was spent, and what the origin would have charged more is what the edge saved", () => {
  const used = { inputTokens: 0, outputTokens: 0, runMs: 500 };
  expect(costOf(price, { ...call, tier: "edge", used })).toEqual({ cost: 600, listCost: 600, edgeSaved: 4_000 });
  expect(costOf(price, { ...call, tier: "origin", used })).toEqual({ cost: 4_600, listCost: 4_600, edgeSaved: 0 });
  const { per_gpu_second: _none, ...edgeOnly } = price;
  expect(costOf(edgeOnly, { ...call, tier: "edge", used }).edgeSaved).toBe(0);
});

test("a kept answer costs its share of what it would have cost, and by default nothing", () => {
  const spared = { inputTokens: 3, outputTokens: 4 };
  const kept = { ...call, kept: true, used: { inputTokens: 0, outputTokens: 0 }, spared };
  expect(costOf(price, kept)).toEqual({ cost: 13, listCost: 126, edgeSaved: 0 });
  const { cache_hit_share: _share, ...free } = price;
  expect(costOf(free, kept)).toMatchObject({ cost: 0, listCost: 126 });
});

test("a call that is kept in part pays in full for the other part", () => {
  const used = { inputTokens: 10, outputTokens: 0 };
  const spared = { inputTokens: 10, outputTokens: 0 };
  expect(costOf(price, { ...call, used, spared })).toMatchObject({ cost: 122, listCost: 140 });
});

test("no call costs more than was reserved for it, whatever it used within its bounds and a second", () => {
  const some = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(some, some, some, some, fc.integer({ min: 0, max: 1_000 }), (a, b, input, output, runMs) => {
      const priced = { ...price, per_million_input_tokens: a, per_million_output_tokens: b };
      const used = { inputTokens: Math.min(input, 5_000), outputTokens: Math.min(output, 5_000), runMs };
      for (const tier of ["edge", "origin"] as const) {
        expect(costOf(priced, { ...call, tier, used }).cost).toBeLessThanOrEqual(costMax(priced, 5_000, 5_000));
      }
    }),
  );
});

test("sums that no double can hold are exact all the same", () => {
  const dear = { per_million_input_tokens: 9_000_000_000_000 };
  expect(costOf(dear, { ...call, used: { inputTokens: 999_999_999, outputTokens: 0 } }).cost).toBe(
    8_999_999_991_000_000,
  );
});

test("a cost is told with eight digits and its currency", () => {
  expect(costText(126, "USD")).toBe("0.00000126 USD");
  expect(costText(1_234_567_890, "EUR")).toBe("12.34567890 EUR");
});

const row: LedgerRow = {
  id: "i.1",
  request_id: "r",
  at_ms: 0,
  model: "m",
  version: "1",
  action: "chat",
  cache: "miss",
  input_tokens: 3,
  output_tokens: 4,
  cost: 126,
  list_cost: 126,
  latency_ms: 1,
};

test("of a quota a kept answer takes a call and its money but no tokens, and a call that failed for nothing takes nothing", () => {
  expect(quotaUse(row)).toEqual({ calls: 1, tokens: 7, microcents: 126 });
  expect(quotaUse({ ...row, cache: "hit", cost: 13 })).toEqual({ calls: 1, tokens: 0, microcents: 13 });
  const failed = { ...row, code: "upstream_failed", input_tokens: 0, output_tokens: 0, cost: 0 };
  expect(quotaUse(failed)).toEqual({ calls: 0, tokens: 0, microcents: 0 });
  expect(quotaUse({ ...row, code: "canceled" })).toEqual({ calls: 1, tokens: 7, microcents: 126 });
});
