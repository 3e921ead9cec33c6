import { type Amount, nothing } from "@ledge/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { grant, limitedBy, plus, type QuotaWindow, quotaWindows, reached } from "./quota.ts";

const tokens = (count: number): Amount => ({ ...nothing, tokens: count });
const window = (limit: number, used: number, more: Partial<QuotaWindow> = {}): QuotaWindow => {
  return { kind: "tokens", period: "month", limit, used, startMs: 0, endMs: 1_000, ...more };
};

test("fifty calls of eighty against a hundred left admit one", () => {
  const demands = Array.from({ length: 50 }, () => tokens(80));
  const { refusedUntilMs, granted } = grant([window(1_000, 900)], nothing, demands, tokens(4_000));
  expect(refusedUntilMs.filter((untilMs) => untilMs === 0)).toHaveLength(1);
  expect(granted).toEqual(tokens(80));
});

test("a small call is admitted behind a large one that is refused", () => {
  expect(grant([window(100, 0)], nothing, [tokens(101), tokens(100)], nothing).refusedUntilMs).toEqual([1_000, 0]);
});

test("a refusal names the end of the last window that stands in the way", () => {
  const windows = [window(10, 10), window(10, 10, { period: "day", endMs: 500 }), window(10, 0, { endMs: 9_000 })];
  expect(grant(windows, nothing, [tokens(1)], nothing).refusedUntilMs).toEqual([1_000]);
});

test("whatever is asked for, what is used, on lease and granted never exceeds a limit", () => {
  const amount = fc.record({ calls: fc.nat(3), tokens: fc.nat(500), microcents: fc.nat(5_000) });
  fc.assert(
    fc.property(
      fc.nat(2_000),
      fc.nat(2_000),
      amount,
      fc.array(amount, { maxLength: 60 }),
      amount,
      (limit, used, leased, demands, wish) => {
        const windows = (["calls", "tokens", "microcents"] as const).map((kind) => window(limit, used, { kind }));
        const { granted, ahead, refusedUntilMs } = grant(windows, leased, demands, wish);
        for (const { kind } of windows) {
          if (granted[kind] > 0) expect(used + leased[kind] + granted[kind]).toBeLessThanOrEqual(limit);
        }
        const admitted = demands.filter((_, i) => refusedUntilMs[i] === 0).reduce(plus, nothing);
        expect(granted).toEqual(plus(admitted, ahead));
      },
    ),
  );
});

test("near its end a quota is not leased ahead", () => {
  expect(grant([window(1_000_000, 0)], nothing, [tokens(80)], tokens(800)).ahead).toEqual(tokens(800));
  expect(grant([window(10_000, 0)], nothing, [tokens(80)], tokens(800)).ahead.tokens).toBeLessThanOrEqual(320);
  expect(grant([window(100, 0)], nothing, [tokens(80)], tokens(800)).ahead.tokens).toBeLessThanOrEqual(0);
});

test("only kinds that have a quota are asked for", () => {
  const call = { calls: 1, tokens: 80, microcents: 300 };
  expect(limitedBy({}, call)).toEqual(nothing);
  expect(limitedBy({ tokens_per_day: 5, microcents_per_month: 5 }, call)).toEqual({ ...call, calls: 0 });
});

test("each quota is a window of its own, and shares are reached with it", () => {
  const windows = quotaWindows({ calls_per_day: 5, tokens_per_month: 10 }, (period) => ({
    startMs: period === "day" ? 1 : 0,
    endMs: 2,
    used: { calls: 4, tokens: 9, microcents: 0 },
  }));
  expect(windows).toEqual([
    { kind: "calls", period: "day", limit: 5, used: 4, startMs: 1, endMs: 2 },
    { kind: "tokens", period: "month", limit: 10, used: 9, startMs: 0, endMs: 2 },
  ]);
  expect(reached(window(0, 0), [0.5, 1])).toEqual([]);
  expect(windows.map((one) => reached(one, [0.5, 0.8, 0.9, 1]))).toEqual([
    [0.5, 0.8],
    [0.5, 0.8, 0.9],
  ]);
});
