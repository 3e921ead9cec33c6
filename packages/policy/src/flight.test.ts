import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  askFlight,
  type FlightState,
  failFlight,
  flightFailuresMax,
  flightIsOver,
  flightKeptMs,
  flightLeaseMsMax,
  flightReplacedMax,
  flightVacant,
  heardFlight,
  landFlight,
  leads,
  leaveFlight,
} from "./flight.ts";

const ask = (state: FlightState, nowMs: number, deadlineMs = nowMs + 30_000, sinceMs = nowMs) =>
  askFlight(state, { sinceMs, deadlineMs }, nowMs);

/** A flight that somebody leads since `nowMs`. */
const led = (nowMs = 0) => ask(flightVacant, nowMs)[1];

describe("a flight", () => {
  test("is led by the first who asks, and the others wait", () => {
    const [first, state] = ask(flightVacant, 5);
    expect(first).toEqual({ kind: "lead", lead: 1 });
    expect(ask(state, 6)[0]).toEqual({ kind: "wait", untilMs: 6 + flightLeaseMsMax });
  });

  test("is handed over to a waiter who heard nothing for ten seconds, or for half of the time left to it", () => {
    const long = { sinceMs: 0, deadlineMs: 60_000 };
    expect(askFlight(led(), long, 9_999)[0].kind).toBe("wait");
    expect(askFlight(led(), long, 10_000)[0]).toEqual({ kind: "lead", lead: 2 });
    const short = { sinceMs: 1_000, deadlineMs: 2_000 };
    expect(askFlight(led(), short, 1_000)[0]).toEqual({ kind: "wait", untilMs: 1_500 });
    expect(askFlight(led(), short, 1_500)[0]).toEqual({ kind: "lead", lead: 2 });
  });

  test("is not handed over while its stream flows, and is once that has been silent as long", () => {
    const flowing = heardFlight(led(), 1, 8_000);
    expect(ask(flowing, 12_000, 60_000, 0)[0].kind).toBe("flow");
    expect(ask(flowing, 18_000, 60_000, 0)[0]).toEqual({ kind: "lead", lead: 2 });
  });

  test("is led anew by the first who asks after its leader left or failed", () => {
    for (const state of [leaveFlight(led(), 1), failFlight(led(), 1, 5)]) {
      const [decision, after] = ask(state, 6);
      expect(decision).toEqual({ kind: "lead", lead: 2 });
      expect(ask(after, 7)[0].kind).toBe("wait");
    }
  });

  test("ends for those who wait with the third failure, and those who come later begin anew", () => {
    let state: FlightState = flightVacant;
    for (let lead = 1; lead <= flightFailuresMax; lead++) {
      expect(flightIsOver(state, lead)).toBe(false);
      state = ask(state, lead)[1];
      state = failFlight(state, lead, lead);
    }
    expect(ask(state, 4)[0].kind).toBe("result");
    expect(flightIsOver(state, 4)).toBe(true);
  });

  test("ends by failures alone: a leader that was silent for long has not failed", () => {
    let state: FlightState = led();
    for (let at = 1; at <= flightReplacedMax; at++) state = ask(state, 20_000 * at, 60_000, 0)[1];
    for (let at = 1; at < flightFailuresMax; at++) {
      const lead = flightReplacedMax + at;
      state = ask(failFlight(state, lead, 50_000), 50_000)[1];
      expect(leads(state, lead + 1)).toBe(true);
    }
    expect(failFlight(state, flightReplacedMax + flightFailuresMax, 50_000).kind).toBe("over");
  });

  test("hands a silent leader's place over after failures too, but not for ever", () => {
    let state = ask(failFlight(led(), 1, 1), 1)[1];
    for (let at = 1; at <= flightReplacedMax; at++) {
      const [decision, after] = ask(state, 20_000 * at, 60_000, 0);
      expect(decision.kind).toBe("lead");
      state = after;
    }
    expect(ask(state, 59_999, 60_000, 0)[0]).toEqual({ kind: "wait", untilMs: 60_000 });
  });

  test("does not end because its leaders' callers leave, however many", () => {
    let state: FlightState = flightVacant;
    for (let lead = 1; lead <= 20; lead++) state = leaveFlight(ask(state, lead)[1], lead);
    expect(ask(state, 21)[0]).toEqual({ kind: "lead", lead: 21 });
  });

  test("takes a result from a leader that was replaced, but neither its failure nor its leaving", () => {
    const replaced = ask(led(), 20_000, 60_000, 0)[1];
    expect(leads(replaced, 1)).toBe(false);
    expect(failFlight(replaced, 1, 20_001)).toBe(replaced);
    expect(leaveFlight(replaced, 1)).toBe(replaced);
    expect(heardFlight(replaced, 1, 20_001)).toBe(replaced);
    expect(ask(landFlight(replaced, 20_001), 20_002)[0].kind).toBe("result");
  });

  test("keeps its result two seconds for stragglers", () => {
    const state = landFlight(led(), 100);
    expect(ask(state, 100 + flightKeptMs - 1)[0].kind).toBe("result");
    expect(flightIsOver(state, 100 + flightKeptMs - 1)).toBe(false);
    expect(flightIsOver(state, 100 + flightKeptMs)).toBe(true);
  });

  test("keeps no fault for stragglers", () => {
    const state = landFlight(led(), 100, false);
    expect(ask(state, 101)[0].kind).toBe("result");
    expect(flightIsOver(state, 101)).toBe(true);
  });

  test("gives no result to who wants a younger one", () => {
    const state = landFlight(led(), 100);
    expect(flightIsOver(state, 200, 100)).toBe(false);
    expect(flightIsOver(state, 200, 101)).toBe(true);
    expect(flightIsOver(led(), 200, 101)).toBe(false);
  });

  test("gives what landed elsewhere to nobody to whom that is too old, while it flows or after", () => {
    const flowing = heardFlight(led(), 1, 200, 100);
    for (const state of [flowing, landFlight(led(), 200, true, 100)]) {
      const waiter = { sinceMs: 0, deadlineMs: 30_000 };
      expect(askFlight(state, { ...waiter, landedAfterMs: 101 }, 200)[0].kind).toBe("alone");
      expect(askFlight(state, { ...waiter, landedAfterMs: 100 }, 200)[0].kind).not.toBe("alone");
      expect([flightIsOver(state, 200, 101), flightIsOver(state, 200, 100)]).toEqual([true, false]);
    }
  });
});

test("what is made while somebody waits is never too old for it, though another place's clock goes behind", () => {
  const [decision] = askFlight(landFlight(led(), 100), { sinceMs: 500, deadlineMs: 30_000, landedAfterMs: 500 }, 100);
  expect(decision.kind).toBe("result");
});

type Event =
  | { readonly kind: "ask"; readonly leftMs: number }
  | { readonly kind: "fail" | "leave" | "heard"; readonly lead: number }
  | { readonly kind: "pass"; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("ask" as const), leftMs: fc.integer({ min: 1, max: 60_000 }) }),
  fc.record({ kind: fc.constantFrom("fail", "leave", "heard"), lead: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 12_000 }) }),
);

test("whatever happens in whatever order, two lead at once only when the first was silent, and work is begun so often at most as it may fail and be replaced, unless somebody left", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let state: FlightState = flightVacant;
      let nowMs = 0;
      let begun = 0;
      let left = 0;
      for (const now of events) {
        const before = state;
        if (now.kind === "pass") nowMs += now.ms;
        else if (now.kind === "ask") {
          const [decision, after] = ask(state, nowMs, nowMs + now.leftMs, 0);
          state = after;
          if (decision.kind === "lead") {
            begun++;
            const silent = before.kind === "led" && nowMs > before.heardMs;
            expect(before.kind === "vacant" || silent).toBe(true);
          }
        } else if (now.kind === "fail") state = failFlight(state, now.lead, nowMs);
        else if (now.kind === "heard") state = heardFlight(state, now.lead, nowMs);
        else {
          state = leaveFlight(state, now.lead);
          if (state !== before) left++;
        }
      }
      expect(begun - left).toBeLessThanOrEqual(flightFailuresMax + flightReplacedMax);
    }),
  );
});
