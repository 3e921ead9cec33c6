import type { Limits } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freshMeter, type MeterState } from "./draft.ts";
import { Holding, type Share } from "./lease.ts";
import { leasePolicy, type MeterAsk, meterStep } from "./meter.ts";

const one = { requests_per_minute: 1 };
const startMs = 1_700_000_000_000;

/** A meter and isolates that ask it, without anything between them. */
class Edge {
  nowMs = startMs;
  asks = 0;
  readonly holdings: Holding[];
  state: MeterState = freshMeter;
  readonly #limits: Limits;
  readonly #callsMax: number;

  constructor(limits: Limits, isolates = 1, callsMax = leasePolicy.callsMax) {
    this.#limits = limits;
    this.#callsMax = callsMax;
    const policy = { ...leasePolicy, callsMax };
    this.holdings = Array.from({ length: isolates }, () => new Holding(policy));
  }

  /** Whether the call is admitted. */
  call(isolate: number, needs = one): boolean {
    const holding = this.holding(isolate);
    const share = holding.take(needs, this.nowMs, this.nowMs) ?? this.#ask(holding, needs, false);
    if (share === undefined) return false;
    holding.begin(share);
    if (holding.runsLow(needs, this.nowMs)) this.#ask(holding, needs, true);
    return true;
  }

  holding(isolate: number): Holding {
    const holding = this.holdings[isolate];
    if (holding === undefined) throw new Error("no such isolate");
    return holding;
  }

  #ask(holding: Holding, needs: typeof one, ahead: boolean): Share | undefined {
    const ask = holding.ask(`lease-${++this.asks}`, needs, this.nowMs, this.nowMs, { ahead, sure: !ahead });
    const [answer, state] = meterStep(this.#limits, this.state, this.nowMs, ask, {
      ...leasePolicy,
      callsMax: this.#callsMax,
    });
    this.state = state;
    holding.told(this.nowMs);
    return holding.answered(ask, answer, this.nowMs, this.nowMs);
  }
}

describe("how much an isolate asks for", () => {
  test.each([
    [1, 1_000],
    [10, 150],
    [1_000, 20],
  ])("at %i calls a second is so much that it asks at most %i times in 1,000 calls", (perSecond, most) => {
    const edge = new Edge({ requests_per_minute: 10_000_000 });
    for (let call = 0; call < 10_000; call++) {
      expect(edge.call(0)).toBe(true);
      edge.nowMs = startMs + Math.floor((call * 1_000) / perSecond);
    }
    expect(edge.asks / 10).toBeLessThanOrEqual(most);
  });

  test("is one call again after a pause", () => {
    const edge = new Edge({ requests_per_minute: 1_000_000 });
    for (let call = 0; call < 500; call++) {
      edge.call(0);
      edge.nowMs += 2;
    }
    edge.nowMs += 60_000;
    const ask = edge.holding(0).ask("after", one, edge.nowMs, edge.nowMs, { ahead: false, sure: true });
    expect(ask.calls).toBeLessThan(10);
  });

  test("is one call each for all but the first of those that ask at once", () => {
    const edge = new Edge({ requests_per_minute: 1_000_000 });
    for (let call = 0; call < 100; call++) {
      edge.call(0);
      edge.nowMs += 5;
    }
    edge.nowMs += 1_000;
    const asks = Array.from({ length: 5 }, (_, at) =>
      edge.holding(0).ask(`at-once-${at}`, one, edge.nowMs, edge.nowMs, { ahead: false, sure: true }),
    );
    expect(asks.map(({ calls }) => calls > 1)).toEqual([true, false, false, false, false]);
  });
});

/** Moments of calls: waits and bursts. */
const uneven = fc.array(
  fc.record({ waitMs: fc.integer({ min: 0, max: 8_000 }), calls: fc.integer({ min: 1, max: 60 }) }),
  { minLength: 40, maxLength: 80 },
);

describe("a caller alone on one isolate", () => {
  test("gets at least 99 % of what counting one by one would give it, however unevenly it calls", () => {
    fc.assert(
      fc.property(fc.constantFrom(60, 300, 600, 1_000), uneven, (limit, steps) => {
        const admitted = (callsMax: number) => {
          const edge = new Edge({ requests_per_minute: limit }, 1, callsMax);
          let count = 0;
          for (const { waitMs, calls } of steps) {
            edge.nowMs += waitMs;
            for (let call = 0; call < calls; call++) if (edge.call(0)) count++;
          }
          return count;
        };
        expect(admitted(leasePolicy.callsMax)).toBeGreaterThanOrEqual(Math.floor(0.99 * admitted(1)));
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test("that calls at exactly its limit is never refused", () => {
    const edge = new Edge({ requests_per_minute: 600 });
    for (let call = 0; call < 6_000; call++) {
      expect(edge.call(0)).toBe(true);
      edge.nowMs += 100;
    }
  });
});

type Step =
  | {
      readonly kind: "call";
      readonly isolate: number;
      readonly amount: number;
      readonly lost: "ask" | "answer" | undefined;
    }
  | { readonly kind: "settle"; readonly nth: number; readonly share: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "again"; readonly nth: number }
  | { readonly kind: "die"; readonly isolate: number };

const isolates = 3;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      isolate: fc.nat({ max: isolates - 1 }),
      amount: fc.integer({ min: 1, max: 30 }),
      lost: fc.constantFrom(undefined, undefined, undefined, undefined, "ask" as const, "answer" as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("settle" as const), nth: fc.nat(), share: fc.nat({ max: 100 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: 2_000 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("again" as const), nth: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("die" as const), isolate: fc.nat({ max: isolates - 1 }) }) },
);

interface Live {
  readonly isolate: number;
  readonly share: Share | undefined;
  readonly amount: number;
  readonly begunMs: number;
  readonly holding: Holding;
}

const holdMs = 8_000;

/** Runs the steps, and gives what was admitted and used when, and how many calls were in flight at most. */
function run(limits: Limits, steps: readonly Step[]) {
  let state: MeterState = freshMeter;
  let nowMs = startMs;
  let asks = 0;
  let most = 0;
  const sent: MeterAsk[] = [];
  const used: { atMs: number; amount: number }[] = [];
  let live: Live[] = [];
  const holdings = Array.from({ length: isolates }, () => new Holding());
  const decide = (ask: MeterAsk) => {
    const [answer, after] = meterStep(limits, state, nowMs, ask);
    state = after;
    return answer;
  };
  const over = (call: Live, spent: number) => {
    live = live.filter((other) => other !== call);
    used.push({ atMs: call.begunMs, amount: spent });
    if (call.share !== undefined) call.holding.settle(call.share, { tokens_per_minute: spent }, nowMs);
  };
  for (const each of steps) {
    // A call is over by its deadline, and has then used all it reserved for all we know.
    for (const call of live.filter(({ begunMs }) => begunMs + holdMs <= nowMs)) over(call, call.amount);
    if (each.kind === "wait") nowMs += each.ms;
    if (each.kind === "again" && sent.length > 0) decide(sent[each.nth % sent.length] as MeterAsk);
    if (each.kind === "die") holdings[each.isolate] = new Holding();
    if (each.kind === "settle" && live.length > 0) {
      const call = live[each.nth % live.length];
      if (call !== undefined) over(call, Math.floor((call.amount * each.share) / 100));
    }
    if (each.kind !== "call") continue;
    const holding = holdings[each.isolate] as Holding;
    const needs =
      limits.in_flight === undefined
        ? { tokens_per_minute: each.amount }
        : { tokens_per_minute: each.amount, in_flight: 1 };
    let share = holding.take(needs, nowMs + holdMs, nowMs);
    if (share === undefined) {
      const ask = holding.ask(`lease-${++asks}`, needs, nowMs + holdMs, nowMs, { ahead: false, sure: true });
      sent.push(ask);
      if (each.lost === "ask") holding.untold(ask.settlements, nowMs);
      else {
        const answer = decide(ask);
        if (each.lost === "answer") holding.untold(ask.settlements, nowMs);
        else {
          holding.told(nowMs);
          share = holding.answered(ask, answer, nowMs, nowMs);
        }
      }
    }
    if (share === undefined) continue;
    live.push({ isolate: each.isolate, share: holding.begin(share), amount: each.amount, begunMs: nowMs, holding });
    most = Math.max(most, live.length);
  }
  for (const call of live) over(call, call.amount);
  return { used, most };
}

test("limits are never exceeded, whatever is lost, comes twice, dies or is never settled", () => {
  const limitsOf = fc.oneof(
    fc.record({ tokens_per_minute: fc.integer({ min: 30, max: 400 }), in_flight: fc.integer({ min: 1, max: 24 }) }),
    fc.record({ tokens_per_minute: fc.integer({ min: 200, max: 1_000 }) }),
  );
  fc.assert(
    fc.property(limitsOf, fc.array(step, { minLength: 80, maxLength: 160 }), (limits, steps) => {
      const { used, most } = run(limits, steps);
      expect(most).toBeLessThanOrEqual((limits as Limits).in_flight ?? Number.POSITIVE_INFINITY);
      let [level, atMs] = [0, startMs];
      for (const each of used.toSorted((a, b) => a.atMs - b.atMs)) {
        level = Math.max(0, level - ((each.atMs - atMs) * limits.tokens_per_minute) / 60_000) + each.amount;
        atMs = each.atMs;
        expect(level).toBeLessThanOrEqual(limits.tokens_per_minute + 1e-6);
      }
    }),
    { numRuns: 500 },
  );
}, 60_000);
