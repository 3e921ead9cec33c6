import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addGrant,
  type Holding,
  holdsNothing,
  leaseTtlMs,
  runsLow,
  spend,
  takeOut,
  tokensHeld,
  wanted,
} from "./lease.ts";
import { emptyBucket, type RateDecision, takeTokens } from "./rate-limit.ts";

const ask = (want: number) => ({ want, returned: [], ahead: false });

function grantOf(granted: number, leaseId = 1): RateDecision {
  return { granted, leaseId, remaining: 0, resetMs: 0, retryAfterMs: 0 };
}

describe("what an isolate holds", () => {
  test("is exactly the tokens granted, less the one that answered the call", () => {
    let holding = addGrant(holdsNothing, grantOf(3), ask(3), 0);
    let spent = 1;
    for (let next = spend(holding, 1); next !== undefined; next = spend(holding, 1)) {
      holding = next;
      spent++;
    }
    expect(spent).toBe(3);
  });

  test("is worth nothing once it has expired, and is then returned exactly once", () => {
    const holding = addGrant(holdsNothing, grantOf(9, 7), ask(9), 0);
    expect(takeOut(holding, leaseTtlMs - 1)).toEqual([[], holding]);
    expect(spend(holding, leaseTtlMs)).toBeUndefined();
    expect(tokensHeld(holding, leaseTtlMs)).toBe(0);
    const [returned, rest] = takeOut(holding, leaseTtlMs);
    expect(returned).toEqual([{ id: 7, unspent: 8 }]);
    expect(takeOut(rest, leaseTtlMs)[0]).toEqual([]);
  });

  test("expires counted from when it was asked for, not from when the answer came", () => {
    expect(spend(addGrant(holdsNothing, grantOf(9), ask(9), 0), leaseTtlMs)).toBeUndefined();
  });

  test("grows from asking for one to twice as many while they are used up in time, and starts again after a pause", () => {
    expect(wanted(holdsNothing, 0)).toBe(1);
    const busy = addGrant(holdsNothing, grantOf(1), ask(1), 0);
    expect(wanted(busy, 10)).toBe(2);
    expect(wanted(addGrant(busy, grantOf(2), ask(2), 10), 20)).toBe(4);
    expect(wanted(busy, leaseTtlMs)).toBe(1);
  });
});

interface Step {
  readonly isolate: number;
  readonly waitMs: number;
  readonly calls: number;
}

/** One step of one of several isolates that share a counter: wait, then call so many times. */
const step = fc.record({
  isolate: fc.nat({ max: 3 }),
  waitMs: fc.integer({ min: 0, max: 2_500 }),
  calls: fc.integer({ min: 1, max: 60 }),
});

/** Runs the steps as the gateway does and gives the moments at which a call was admitted. */
function admitted(limit: number, steps: readonly Step[], wantMax = 1_024): number[] {
  const rule = { limit, windowMs: 60_000 };
  const holdings: Holding[] = Array(4).fill(holdsNothing);
  const moments: number[] = [];
  let state = emptyBucket;
  let nowMs = 1_700_000_000_000;
  for (const { isolate, waitMs, calls } of steps) {
    nowMs += waitMs;
    for (let call = 0; call < calls; call++) {
      const holding = holdings[isolate] ?? holdsNothing;
      const local = spend(holding, nowMs);
      if (local !== undefined) {
        holdings[isolate] = local;
        moments.push(nowMs);
        if (runsLow(local, nowMs) && wantMax > 1) {
          const [returned, live] = takeOut(local, nowMs);
          const asked = { want: wanted(local, nowMs), returned, ahead: true };
          const [decision, after] = takeTokens(rule, state, nowMs, asked);
          state = after;
          holdings[isolate] = addGrant(live, decision, asked, nowMs);
        }
        continue;
      }
      const [returned, live] = takeOut(holding, nowMs);
      const asked = { want: Math.min(wantMax, wanted(holding, nowMs)), returned, ahead: false };
      const [decision, after] = takeTokens(rule, state, nowMs, asked);
      state = after;
      holdings[isolate] = decision.granted < 1 ? live : addGrant(live, decision, asked, nowMs);
      if (decision.granted > 0) moments.push(nowMs);
    }
  }
  return moments;
}

describe("leases of several isolates on one limit", () => {
  test("never admit more than the burst and what drained, whatever expires and comes back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.array(step, { maxLength: 120 }), (limit, steps) => {
        const moments = admitted(limit, steps);
        const startMs = 1_700_000_000_000;
        for (const [i, atMs] of moments.entries()) {
          expect(i + 1).toBeLessThanOrEqual(limit + Math.floor(((atMs - startMs) * limit) / 60_000));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("give a caller alone on one isolate at least 97 % of what counting one by one would, however unevenly it calls", () => {
    const uneven = fc.array(
      fc.record({
        isolate: fc.constant(0),
        waitMs: fc.integer({ min: 0, max: 1_500 }),
        calls: fc.integer({ min: 1, max: 60 }),
      }),
      { minLength: 100, maxLength: 200 },
    );
    fc.assert(
      fc.property(fc.constantFrom(500, 600, 1_000), uneven, (limit, steps) => {
        const oneByOne = admitted(limit, steps, 1).length;
        expect(admitted(limit, steps).length).toBeGreaterThanOrEqual(Math.floor(0.97 * oneByOne));
      }),
      { numRuns: 300 },
    );
  });
});
