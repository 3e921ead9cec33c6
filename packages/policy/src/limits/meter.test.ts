import type { Limits } from "@ledge/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Amounts } from "./amounts.ts";
import { freshMeter, isIdle, type MeterState } from "./draft.ts";
import { type MeterAnswer, type MeterAsk, marginMs, meterStep } from "./meter.ts";

let leases = 0;

const startMs = 1_700_000_000_000;

/** An ask whose call goes on for certain, and is over at once. */
function askFor(call: Amounts, more: Partial<MeterAsk> = {}): MeterAsk {
  leases++;
  return { lease: `lease-${leases}`, call, calls: 1, ahead: false, sure: true, holdMs: 0, settlements: [], ...more };
}

const one = { requests_per_minute: 1 };
const perMinute = (limit: number): Limits => ({ requests_per_minute: limit });

/** A meter, asked one thing after the other. */
function meterOf(limits: Limits) {
  let state: MeterState = freshMeter;
  let limitsNow = limits;
  return {
    ask(atMs: number, ask: MeterAsk): MeterAnswer {
      const [answer, after] = meterStep(limitsNow, state, atMs, ask);
      state = after;
      return answer;
    },
    limit(changed: Limits) {
      limitsNow = changed;
    },
    state: () => state,
  };
}

function takeEach(limits: Limits, moments: readonly number[], call: Amounts = one): number {
  const meter = meterOf(limits);
  return moments.filter((atMs) => meter.ask(atMs, askFor(call)).granted > 0).length;
}

describe("a rate limit", () => {
  test("admits exactly 10 of a burst of 100 against a limit of 10", () => {
    expect(takeEach(perMinute(10), Array(100).fill(startMs))).toBe(10);
  });

  test("of tokens admits exactly as many calls as their amounts fit, and a smaller call where a larger one does not", () => {
    const limits = { tokens_per_minute: 100 };
    expect(takeEach(limits, Array(50).fill(startMs), { tokens_per_minute: 80 })).toBe(1);
    const meter = meterOf(limits);
    expect(meter.ask(startMs, askFor({ tokens_per_minute: 80 })).granted).toBe(1);
    expect(meter.ask(startMs, askFor({ tokens_per_minute: 21 })).granted).toBe(0);
    expect(meter.ask(startMs, askFor({ tokens_per_minute: 20 })).granted).toBe(1);
  });

  test("refuses at no cost", () => {
    const meter = meterOf(perMinute(10));
    for (let call = 0; call < 10; call++) meter.ask(startMs, askFor(one));
    const before = meter.state();
    expect(meter.ask(startMs, askFor(one)).granted).toBe(0);
    expect(meter.state()).toEqual(before);
  });

  test("of one measure that refuses takes nothing of the others", () => {
    const meter = meterOf({ requests_per_minute: 10, tokens_per_minute: 100, in_flight: 1 });
    const call = { requests_per_minute: 1, tokens_per_minute: 10, in_flight: 1 };
    expect(meter.ask(startMs, askFor(call, { holdMs: 1_000 })).granted).toBe(1);
    const refused = meter.ask(startMs, askFor(call, { holdMs: 1_000 }));
    expect(refused).toMatchObject({ granted: 0, refusal: { measure: "in_flight" } });
    expect(refused.limits).toMatchObject([
      { measure: "requests_per_minute", left: 9 },
      { measure: "tokens_per_minute", left: 90 },
      { measure: "in_flight", left: 0 },
    ]);
  });

  test.each(["requests_per_second", "requests_per_minute", "requests_per_day"] as const)(
    "of %s admits a caller who waits exactly retryAfterMs, and not one who waits a step less",
    (measure) => {
      const stepMs = measure === "requests_per_day" ? 1_000 : 1;
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 2e12 }), (limit, atMs) => {
          const full = meterOf({ [measure]: limit });
          for (let call = 0; call < limit; call++) full.ask(atMs, askFor({ [measure]: 1 }));
          const waitMs = full.ask(atMs, askFor({ [measure]: 1 })).refusal?.retryAfterMs ?? 0;
          const [early] = meterStep(
            { [measure]: limit },
            full.state(),
            atMs + waitMs - stepMs,
            askFor({ [measure]: 1 }),
          );
          const [due] = meterStep({ [measure]: limit }, full.state(), atMs + waitMs, askFor({ [measure]: 1 }));
          expect([early.granted, due.granted]).toEqual([0, 1]);
        }),
        { numRuns: 50 },
      );
    },
  );

  test("admits over any span at most the burst and what drained, whatever the order of calls and their amounts", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 1, max: 40 })), {
      maxLength: 200,
    });
    const measures = fc.constantFrom("tokens_per_minute", "requests_per_day", "requests_per_second");
    fc.assert(
      fc.property(measures, fc.integer({ min: 40, max: 1_000 }), steps, (measure, limit, calls) => {
        const windowMs = { tokens_per_minute: 60_000, requests_per_day: 86_400_000, requests_per_second: 1_000 }[
          measure
        ];
        const meter = meterOf({ [measure]: limit });
        let nowMs = startMs;
        let granted = 0;
        for (const [waitMs, amount] of calls) {
          nowMs += waitMs;
          granted += amount * meter.ask(nowMs, askFor({ [measure]: amount })).granted;
          expect(granted).toBeLessThanOrEqual(limit + Math.floor(((nowMs - startMs) * limit) / windowMs));
        }
      }),
    );
  });

  test("never refuses a caller who keeps to it, for any limit, without drift over a day", () => {
    for (const limit of [1, 7, 60, 600, 999]) {
      const everyMs = Math.ceil(60_000 / limit);
      const moments = Array.from({ length: Math.min(20_000, 1440 * limit) }, (_, i) => startMs + i * everyMs);
      expect(takeEach(perMinute(limit), moments)).toBe(moments.length);
    }
  });

  test("forgives nothing when the clock steps back", () => {
    const meter = meterOf(perMinute(5));
    for (let call = 0; call < 5; call++) meter.ask(startMs, askFor(one));
    expect(meter.ask(startMs - 60_000, askFor(one)).granted).toBe(0);
  });

  test("holds at once when it is lowered, and grants the difference when it is raised", () => {
    const meter = meterOf(perMinute(100));
    for (let call = 0; call < 50; call++) meter.ask(startMs, askFor(one));
    meter.limit(perMinute(200));
    expect(meter.ask(startMs, askFor(one)).granted).toBe(1);
    meter.limit(perMinute(10));
    expect(meter.ask(startMs, askFor(one)).refusal?.retryAfterMs).toBe(6_000);
  });

  test("of the largest size counts without losing one", () => {
    const limit = 10_000_000_000;
    const meter = meterOf({ requests_per_day: limit });
    meter.ask(startMs, askFor({ requests_per_day: limit - 1 }));
    expect(meter.ask(startMs, askFor({ requests_per_day: 2 })).granted).toBe(0);
    expect(meter.ask(startMs, askFor({ requests_per_day: 1 })).granted).toBe(1);
  });
});

describe("a lease", () => {
  test("takes no more than an eighth of what is free and shrinks to one call near the limit", () => {
    expect(meterOf(perMinute(800)).ask(startMs, askFor(one, { calls: 256 }))).toMatchObject({
      granted: 100,
      scarce: true,
    });
    expect(meterOf(perMinute(10)).ask(startMs, askFor(one, { calls: 256 })).granted).toBe(1);
    const tokens = { tokens_per_minute: 1_000 };
    expect(meterOf({ tokens_per_minute: 16_000 }).ask(startMs, askFor(tokens, { calls: 8 })).granted).toBe(2);
    expect(meterOf({ in_flight: 16 }).ask(startMs, askFor({ in_flight: 1 }, { calls: 8 })).granted).toBe(2);
  });

  test("asked ahead takes nothing where only single calls are granted", () => {
    const answer = meterOf(perMinute(5)).ask(startMs, askFor(one, { calls: 64, ahead: true, sure: false }));
    expect(answer).toMatchObject({ granted: 0 });
    expect(answer.refusal).toBeUndefined();
  });

  test("frees at once what comes back, and gives nothing when it comes back twice, late or out of order", () => {
    const meter = meterOf(perMinute(800));
    const ask = askFor(one, { calls: 64 });
    meter.ask(startMs, ask);
    const back = { lease: ask.lease, spent: { requests_per_minute: 3 }, freed: { requests_per_minute: 60 }, agoMs: 0 };
    const earlier = { ...back, spent: { requests_per_minute: 2 }, freed: { requests_per_minute: 0 } };
    const left = (settlements: MeterAsk["settlements"]) =>
      meter.ask(startMs, askFor({}, { calls: 0, settlements })).limits[0]?.left;
    expect(left([earlier])).toBe(736);
    expect(left([back])).toBe(796);
    expect(left([earlier])).toBe(796);
    expect(left([back])).toBe(796);
    expect(meter.state().grants).toEqual([]);
  });

  test("of several calls keeps what the others hold, however often it is said that one gave back its part", () => {
    const meter = meterOf({ in_flight: 32 });
    const ask = askFor({ in_flight: 1 }, { calls: 4, holdMs: 30_000 });
    expect(meter.ask(startMs, ask).granted).toBe(4);
    const settlements = [{ lease: ask.lease, spent: {}, freed: { in_flight: 1 }, agoMs: 0 }];
    for (let time = 0; time < 5; time++) {
      expect(meter.ask(startMs, askFor({}, { calls: 0, settlements })).limits[0]?.left).toBe(29);
    }
  });

  test("that never comes back counts as spent, from the last moment at which it could be", () => {
    const meter = meterOf(perMinute(60));
    const ask = askFor(one, { calls: 7 });
    expect(meter.ask(startMs, ask).granted).toBe(7);
    for (let call = 0; call < 53; call++) meter.ask(startMs, askFor(one));
    const refused = meter.ask(startMs, askFor(one));
    expect(refused.refusal?.retryAfterMs).toBe(1_000);
    meter.ask(startMs + 120_000, askFor(one));
    expect(meter.state().grants).toEqual([]);
  });

  test("asked for twice by one message that came twice is granted once", () => {
    const meter = meterOf(perMinute(800));
    const ask = askFor(one, { calls: 64, sure: false });
    expect(meter.ask(startMs, ask).granted).toBe(64);
    expect(meter.ask(startMs, ask)).toMatchObject({ granted: 64, limits: [{ left: 736 }] });
  });
});

describe("what a call reserved", () => {
  const limits = { tokens_per_minute: 1_000, in_flight: 1 };
  const call = { tokens_per_minute: 600, in_flight: 1 };

  test("is held until it is settled, and then only what was used is spent", () => {
    const meter = meterOf(limits);
    const ask = askFor(call, { holdMs: 30_000 });
    meter.ask(startMs, ask);
    expect(meter.ask(startMs + 20_000, askFor({ tokens_per_minute: 401 })).granted).toBe(0);
    const settled = {
      lease: ask.lease,
      spent: { tokens_per_minute: 50 },
      freed: { tokens_per_minute: 550, in_flight: 1 },
    };
    const answer = meter.ask(startMs + 20_000, askFor({}, { calls: 0, settlements: [{ ...settled, agoMs: 20_000 }] }));
    // It was spent twenty seconds ago, and has drained since.
    expect(answer.limits).toMatchObject([{ left: 1_000 }, { left: 1 }]);
  });

  test("counts as spent once its call is over for certain and nobody settled; its place in flight is free then", () => {
    const meter = meterOf(limits);
    meter.ask(startMs, askFor(call, { holdMs: 30_000 }));
    const refused = meter.ask(startMs, askFor({ in_flight: 1 }));
    expect(refused.refusal).toEqual({ measure: "in_flight", retryAfterMs: 31_000 + marginMs });
    const at = startMs + 31_000 + marginMs;
    expect(meter.ask(at - 1, askFor({ in_flight: 1 })).granted).toBe(0);
    expect(meter.ask(at, askFor({ in_flight: 1 })).granted).toBe(1);
  });

  test("may be exceeded: what was used beyond it is charged, and later calls wait for it", () => {
    const meter = meterOf({ tokens_per_minute: 1_000 });
    const ask = askFor({ tokens_per_minute: 600 }, { holdMs: 30_000 });
    meter.ask(startMs, ask);
    const settlements = [{ lease: ask.lease, spent: { tokens_per_minute: 2_000 }, freed: {}, agoMs: 0 }];
    const answer = meter.ask(startMs, askFor({ tokens_per_minute: 100 }, { settlements }));
    expect(answer).toMatchObject({ granted: 0, refusal: { retryAfterMs: 66_000 } });
  });
});

test("a meter is worth remembering until all has drained, nobody holds anything, and as long as it is closed", () => {
  const meter = meterOf({ requests_per_day: 86_400, in_flight: 3 });
  expect(isIdle(meter.state(), startMs)).toBe(true);
  meter.ask(startMs, askFor({ requests_per_day: 86_400, in_flight: 1 }, { holdMs: 30_000 }));
  expect(isIdle(meter.state(), startMs + 86_399_000)).toBe(false);
  expect(isIdle(meter.state(), startMs + 86_400_000)).toBe(true);
  expect(isIdle({ ...meter.state(), closed: true }, startMs + 86_400_000)).toBe(false);
  const holds = meterOf({ in_flight: 3 });
  holds.ask(startMs, askFor({ in_flight: 1 }, { holdMs: 30_000 }));
  expect([isIdle(holds.state(), startMs + 30_000), isIdle(holds.state(), startMs + 40_000)]).toEqual([false, true]);
});

test("a closed meter grants nothing, settled or not", () => {
  const closed = { ...freshMeter, closed: true };
  expect(meterStep({}, closed, startMs, askFor({}))[0]).toMatchObject({ closed: true, granted: 0 });
});

test("a subject without limits is granted whatever it asks, and nothing is kept of it", () => {
  const [answer, state] = meterStep({}, freshMeter, startMs, askFor({}, { calls: 9 }));
  expect(answer).toMatchObject({ closed: false, granted: 9, limits: [] });
  expect(state).toEqual(freshMeter);
});
