/**
 * The circuit breaker of one origin, or of one model at one origin: whether it may be asked, by what it answered lately.
 * Plain data, because isolates tell one another of it.
 */
export type Breaker =
  | {
      readonly kind: "closed";
      /** Of the window that began at `sinceMs`. */
      readonly calls: number;
      readonly failed: number;
      readonly sinceMs: number;
      /** Failures since the last whole answer. A stream that begins takes half a one back: it may yet break off. */
      readonly inRow: number;
      /** How often it opened before; forgotten when it stays closed for a whole window. */
      readonly times: number;
    }
  | {
      readonly kind: "open";
      readonly untilMs: number;
      /** How often it opened in short order, this time included. */
      readonly times: number;
    }
  | {
      readonly kind: "half-open";
      /** Until then one call is on trial. One that was cut off never says how it went: then another is. */
      readonly trialUntilMs: number;
      readonly times: number;
    };

/**
 * How a call went. `begun`: it is answered by a stream, of which more is not known yet; `broke`: such a stream ended before its end.
 * `dead`: whoever was asked does not even answer whether it lives.
 */
export type BreakerOutcome = "answered" | "begun" | "broke" | "failed" | "dead";

export interface BreakerRule {
  /** So many failures in a row open it. */
  readonly failuresInRow: number;
  /** And so do `failedShare` failures among at least `callsMin` calls of a window. */
  readonly windowMs: number;
  readonly callsMin: number;
  readonly failedShare: number;
  /** How long it is open the first time; twice as long each further time in a row, up to the most. */
  readonly openMs: number;
  readonly openMsMax: number;
  /** How long a trial may be on its way. */
  readonly trialMs: number;
}

export const breakerRule: BreakerRule = {
  failuresInRow: 5,
  windowMs: 10_000,
  callsMin: 10,
  failedShare: 0.5,
  openMs: 500,
  openMsMax: 15_000,
  trialMs: 5_000,
};

/** As it is before anything is known, or after a trial went well. */
export function closedAt(nowMs: number, times = 0): Closed {
  return { kind: "closed", calls: 0, failed: 0, sinceMs: nowMs, inRow: 0, times };
}

export const closedBreaker: Breaker = closedAt(0);

/** Whether a call may pass. When it was open long enough this call is the trial, and the state says so. */
export function passBreaker(rule: BreakerRule, breaker: Breaker, nowMs: number): readonly [boolean, Breaker] {
  if (breaker.kind === "closed") return [true, breaker];
  const heldUntilMs = breaker.kind === "open" ? breaker.untilMs : breaker.trialUntilMs;
  if (nowMs < heldUntilMs) return [false, breaker];
  return [true, { kind: "half-open", trialUntilMs: nowMs + rule.trialMs, times: breaker.times }];
}

/** The state after a call. `random` is from 0 to 1: isolates that opened together do not all try again together. */
export function settleBreaker(
  rule: BreakerRule,
  breaker: Breaker,
  outcome: BreakerOutcome,
  nowMs: number,
  random: number,
): Breaker {
  switch (breaker.kind) {
    case "open":
      // Of a call that began before: it says nothing of now.
      return breaker;
    case "half-open":
      // A stream that broke began before: it is not the trial.
      if (outcome === "broke") return breaker;
      return outcome === "answered" || outcome === "begun"
        ? closedAt(nowMs, breaker.times)
        : opened(rule, breaker.times, nowMs, random);
    case "closed": {
      const next = counted(rule, breaker, outcome, nowMs);
      return outcome === "dead" || breaks(rule, next) ? opened(rule, next.times, nowMs, random) : next;
    }
  }
}

/** What another isolate said last: it opened, or it closed after a trial went well. */
export type BreakerNews =
  | { readonly kind: "open"; readonly untilMs: number; readonly times: number }
  | { readonly kind: "closed" };

/** The state after news of another isolate. Its trial is no answer to a call of ours: who hears of one tries once itself. */
export function hearBreaker(breaker: Breaker, news: BreakerNews, nowMs: number): Breaker {
  if (news.kind === "open") return breaker.kind === "closed" && news.untilMs > nowMs ? { ...news } : breaker;
  return breaker.kind === "open" ? { ...breaker, untilMs: Math.min(breaker.untilMs, nowMs) } : breaker;
}

type Closed = Extract<Breaker, { kind: "closed" }>;

function counted({ windowMs }: BreakerRule, breaker: Closed, outcome: BreakerOutcome, nowMs: number): Closed {
  const { calls, failed, sinceMs, inRow, times } =
    nowMs - breaker.sinceMs >= windowMs ? { ...closedAt(nowMs), inRow: breaker.inRow } : breaker;
  const window = { kind: "closed", sinceMs, times } as const;
  switch (outcome) {
    case "answered":
      return { ...window, calls: calls + 1, failed, inRow: 0 };
    case "begun":
      return { ...window, calls: calls + 1, failed, inRow: Math.max(0, inRow - 0.5) };
    case "broke":
      // Its call was counted when it began, though perhaps in the window before.
      return { ...window, calls: Math.max(calls, failed + 1), failed: failed + 1, inRow: inRow + 1 };
    case "failed":
    case "dead":
      return { ...window, calls: calls + 1, failed: failed + 1, inRow: inRow + 1 };
  }
}

function breaks(rule: BreakerRule, { calls, failed, inRow }: Closed): boolean {
  if (inRow >= rule.failuresInRow) return true;
  return calls >= rule.callsMin && failed >= rule.failedShare * calls;
}

function opened(rule: BreakerRule, before: number, nowMs: number, random: number): Breaker {
  const wholeMs = Math.min(rule.openMsMax, rule.openMs * 2 ** Math.min(before, 30));
  return { kind: "open", untilMs: nowMs + Math.ceil(wholeMs * (0.5 + random / 2)), times: before + 1 };
}
