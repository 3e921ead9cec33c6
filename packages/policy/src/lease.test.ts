import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addGrant, expire, type Lease, leaseTtlMs, noLease, spend, wanted } from "./lease.ts";
import { emptyBucket, type RateDecision, takeTokens } from "./rate-limit.ts";

const grantOf = (granted: number, atMs = 0): RateDecision => ({
  atMs,
  granted,
  remaining: 0,
  resetMs: 0,
  retryAfterMs: 0,
});

describe("a lease", () => {
  test("spends exactly the tokens granted, the one that answered the request included", () => {
    let lease = addGrant(noLease, grantOf(3), 3, 0);
    let spent = 1;
    for (let next = spend(lease, 1); next !== undefined; next = spend(lease, 1)) {
      lease = next;
      spent++;
    }
    expect(spent).toBe(3);
  });

  test("is worth nothing once it has expired, and then gives its tokens back exactly once", () => {
    const lease = addGrant(noLease, grantOf(9, 77), 9, 0);
    expect(expire(lease, leaseTtlMs - 1)).toEqual([undefined, lease]);
    expect(spend(lease, leaseTtlMs)).toBeUndefined();
    const [unspent, emptied] = expire(lease, leaseTtlMs);
    expect(unspent).toEqual({ tokens: 8, grantedAtMs: 77 });
    expect(expire(emptied, leaseTtlMs)[0]).toBeUndefined();
  });

  test("asks for one at first, for twice as many while they are used up in time, and for one again after a pause", () => {
    expect(wanted(noLease, 0)).toBe(1);
    const busy = addGrant(noLease, grantOf(1), 1, 0);
    expect(wanted(busy, 10)).toBe(2);
    expect(wanted(addGrant(busy, grantOf(2), 2, 10), 20)).toBe(4);
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
function admitted(limit: number, steps: readonly Step[], wantMax = 256): number[] {
  const rule = { limit, windowMs: 60_000 };
  const leases: Lease[] = Array(4).fill(noLease);
  const moments: number[] = [];
  let state = emptyBucket;
  let nowMs = 1_700_000_000_000;
  for (const { isolate, waitMs, calls } of steps) {
    nowMs += waitMs;
    for (let call = 0; call < calls; call++) {
      const held = leases[isolate] ?? noLease;
      const local = spend(held, nowMs);
      if (local !== undefined) {
        leases[isolate] = local;
        moments.push(nowMs);
        continue;
      }
      const asked = Math.min(wantMax, wanted(held, nowMs));
      const [unspent, rest] = expire(held, nowMs);
      const [decision, after] = takeTokens(rule, state, nowMs, asked, unspent);
      state = after;
      leases[isolate] = decision.granted < 1 ? rest : addGrant(rest, decision, asked, nowMs);
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
