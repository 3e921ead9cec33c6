import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Breaker,
  type BreakerNews,
  type BreakerOutcome,
  breakerRule,
  closedBreaker,
  hearBreaker,
  passBreaker,
  settleBreaker,
} from "./breaker.ts";

const rule = breakerRule;

type Step =
  | { readonly kind: "pass" }
  | { readonly kind: "settle"; readonly outcome: BreakerOutcome }
  | { readonly kind: "hear"; readonly news: BreakerNews };

const step = fc.oneof(
  fc.record({ kind: fc.constant("pass" as const) }),
  fc.record({
    kind: fc.constant("settle" as const),
    outcome: fc.constantFrom<BreakerOutcome>("answered", "begun", "broke", "failed", "dead"),
  }),
  fc.record({
    kind: fc.constant("hear" as const),
    news: fc.oneof(
      fc.record({ kind: fc.constant("closed" as const) }),
      fc.record({
        kind: fc.constant("open" as const),
        untilMs: fc.nat(40_000),
        times: fc.integer({ min: 1, max: 40 }),
      }),
    ),
  }),
);
const walk = fc.array(fc.tuple(step, fc.nat(4_000), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 80 });

/** Wherever a walk of calls, answers and news leads. */
function reached(steps: readonly (readonly [Step, number, number])[]): { breaker: Breaker; nowMs: number } {
  let [breaker, nowMs] = [closedBreaker, 0];
  for (const [one, ms, random] of steps) {
    nowMs += ms;
    if (one.kind === "pass") [, breaker] = passBreaker(rule, breaker, nowMs);
    else if (one.kind === "settle") breaker = settleBreaker(rule, breaker, one.outcome, nowMs, random);
    else {
      const { news } = one;
      breaker = hearBreaker(breaker, news.kind === "open" ? { ...news, untilMs: news.untilMs + nowMs } : news, nowMs);
    }
  }
  return { breaker, nowMs };
}

test("from wherever it came, one answered trial after its time closes it", () => {
  fc.assert(
    fc.property(walk, (steps) => {
      const { breaker, nowMs } = reached(steps);
      const heldMs = breaker.kind === "closed" ? 0 : Math.max(rule.openMsMax, rule.trialMs, 40_000);
      const [passes, trial] = passBreaker(rule, breaker, nowMs + heldMs);
      expect(passes).toBe(true);
      expect(settleBreaker(rule, trial, "answered", nowMs + heldMs, 0).kind).toBe("closed");
    }),
  );
});

test("from wherever it came, failures open it, and a failed trial opens it again", () => {
  fc.assert(
    fc.property(walk, (steps) => {
      let { breaker, nowMs } = reached(steps);
      for (let failure = 0; failure < rule.failuresInRow; failure++) {
        breaker = settleBreaker(rule, breaker, "failed", nowMs, 0.5);
      }
      expect(breaker.kind).toBe("open");
      const [, trial] = passBreaker(rule, breaker, nowMs + 60_000);
      expect(settleBreaker(rule, trial, "failed", nowMs + 60_000, 0.5).kind).toBe("open");
    }),
  );
});

test("its state survives being told to another isolate", () => {
  fc.assert(
    fc.property(walk, (steps) => {
      const { breaker } = reached(steps);
      expect(JSON.parse(JSON.stringify(breaker))).toEqual(breaker);
    }),
  );
});

test("while it is open or on trial one call passes at most", () => {
  fc.assert(
    fc.property(walk, fc.integer({ min: 2, max: 20 }), (steps, calls) => {
      let { breaker, nowMs } = reached(steps);
      if (breaker.kind === "closed") return;
      let passed = 0;
      for (let call = 0; call < calls; call++) {
        const [passes, next] = passBreaker(rule, breaker, nowMs);
        breaker = next;
        if (passes) passed++;
      }
      expect(passed).toBeLessThanOrEqual(1);
    }),
  );
});

test("who does not even say that it lives is left at once", () => {
  expect(settleBreaker(rule, closedBreaker, "dead", 1_000, 1)).toEqual({ kind: "open", untilMs: 1_500, times: 1 });
});

test("half the calls of a window failing open it, with answers between them", () => {
  let breaker = closedBreaker;
  for (let call = 0; call < rule.callsMin; call++) {
    expect(breaker.kind).toBe("closed");
    breaker = settleBreaker(rule, breaker, call % 2 === 0 ? "answered" : "failed", 100, 0.5);
  }
  expect(breaker.kind).toBe("open");
});

test("each failed trial doubles the time that it is open, up to the most", () => {
  let [breaker, nowMs] = [settleBreaker(rule, closedBreaker, "dead", 0, 1), 0];
  const openMs: number[] = [];
  for (let trial = 0; trial < 8; trial++) {
    if (breaker.kind !== "open") throw new Error(`it is ${breaker.kind}`);
    openMs.push(breaker.untilMs - nowMs);
    nowMs = breaker.untilMs;
    [, breaker] = passBreaker(rule, breaker, nowMs);
    breaker = settleBreaker(rule, breaker, "failed", nowMs, 1);
  }
  expect(openMs).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
});

test("one that opens again soon after it closed stays open for longer, and one that was well for a while does not", () => {
  let breaker = settleBreaker(rule, closedBreaker, "dead", 0, 1);
  [, breaker] = passBreaker(rule, breaker, 500);
  breaker = settleBreaker(rule, breaker, "answered", 500, 1);
  const soon = settleBreaker(rule, breaker, "dead", 1_000, 1);
  expect(soon).toEqual({ kind: "open", untilMs: 2_000, times: 2 });
  const later = settleBreaker(rule, breaker, "dead", 20_000, 1);
  expect(later).toEqual({ kind: "open", untilMs: 20_500, times: 1 });
});

test("an isolate that hears of an origin left leaves it, and one that hears it is back tries it itself", () => {
  const left = hearBreaker(closedBreaker, { kind: "open", untilMs: 900, times: 2 }, 100);
  expect(passBreaker(rule, left, 500)[0]).toBe(false);
  const back = hearBreaker(left, { kind: "closed" }, 500);
  const [passes, trial] = passBreaker(rule, back, 500);
  expect([passes, trial.kind, passBreaker(rule, trial, 501)[0]]).toEqual([true, "half-open", false]);
});

/** A breaker after so many streams, one after the other, of which those break that `breaks` says. */
function afterStreams(streams: number, everyMs: number, breaks: (stream: number) => boolean): Breaker {
  let breaker = closedBreaker;
  for (let stream = 0; stream < streams && breaker.kind === "closed"; stream++) {
    breaker = settleBreaker(rule, breaker, "begun", stream * everyMs, 0.5);
    if (breaks(stream)) breaker = settleBreaker(rule, breaker, "broke", stream * everyMs + 1, 0.5);
  }
  return breaker;
}

test.each([10, 3_000, 60_000])(
  "a model whose every stream breaks off is left, though one begins every %i ms",
  (everyMs) => {
    expect(afterStreams(10, everyMs, () => true).kind).toBe("open");
  },
);

test("a model of whose streams every tenth breaks off is never left", () => {
  for (const everyMs of [1, 100, 60_000]) {
    expect(afterStreams(2_000, everyMs, (stream) => stream % 10 === 9).kind).toBe("closed");
  }
});

test("a stream that began before the breaker opened and breaks off later says nothing of its trial", () => {
  const open: Breaker = { kind: "open", untilMs: 100, times: 1 };
  expect(settleBreaker(rule, open, "broke", 50, 0.5)).toEqual(open);
  const [, trial] = passBreaker(rule, open, 100);
  expect(settleBreaker(rule, trial, "broke", 101, 0.5)).toEqual(trial);
  expect(settleBreaker(rule, trial, "begun", 102, 0.5).kind).toBe("closed");
});
