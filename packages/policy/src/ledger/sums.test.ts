import type { LedgerRow } from "@ledge/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { latencyClass, latencyQuantile } from "./latency.ts";
import { addSums, noSums, packSums, sumsOf, unpackSums } from "./sums.ts";

const count = fc.integer({ min: 0, max: 2 ** 40 });
const row: fc.Arbitrary<LedgerRow> = fc.record({
  id: fc.string(),
  request_id: fc.string(),
  at_ms: count,
  model: fc.constant("m"),
  version: fc.constant("1"),
  action: fc.constant("chat" as const),
  cache: fc.constant("miss" as const),
  input_tokens: count,
  output_tokens: count,
  cost: count,
  list_cost: count,
  latency_ms: fc.integer({ min: 0, max: 10_000_000 }),
});

test("sums are the same packed and unpacked", () => {
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const sums = rows.map(sumsOf).reduce((a, b) => addSums(a, b), noSums);
      expect(unpackSums(packSums(sums))).toEqual(sums);
    }),
  );
});

test("taking a row away leaves what there was before it", () => {
  fc.assert(
    fc.property(row, row, (a, b) => {
      expect(addSums(addSums(sumsOf(a), sumsOf(b)), sumsOf(b), -1)).toEqual(sumsOf(a));
    }),
  );
});

test("a quantile of latencies is right to a tenth", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1 }),
      fc.constantFrom(0.5, 0.95),
      (all, share) => {
        const counts = new Map<number, number>();
        for (const ms of all) counts.set(latencyClass(ms), (counts.get(latencyClass(ms)) ?? 0) + 1);
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(share * all.length) - 1] ?? 0;
        expect(Math.abs((latencyQuantile(counts, share) ?? 0) / exact - 1)).toBeLessThan(0.11);
      },
    ),
  );
  expect(latencyQuantile(new Map(), 0.5)).toBeUndefined();
});
