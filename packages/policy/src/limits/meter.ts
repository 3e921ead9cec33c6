import type { Limits } from "@ledge/contract";
import { type Amounts, isRequests, type Measure, measuresIn, type Sums } from "./amounts.ts";
import { drainsTo, rateOf, roomIn, windowMsOf } from "./bucket.ts";
import {
  bucketOf,
  charge,
  type Draft,
  draftOf,
  fold,
  grantTo,
  type MeterState,
  type Settlement,
  settle,
  stateOf,
} from "./draft.ts";
import { waitMs } from "./wait.ts";

/** What an isolate asks of a subject's meter. */
export interface MeterAsk {
  /** The name of the lease that it will hold; unique for ever. */
  readonly lease: string;
  /** What one call needs. */
  readonly call: Amounts;
  /** How many such calls it would like to admit without asking again. 0 settles, and asks for nothing. */
  readonly calls: number;
  /** Whether no call waits for it: then getting none refuses nobody. */
  readonly ahead: boolean;
  /** Whether the call that waits goes on for certain when it is granted: its requests are then spent at once. */
  readonly sure: boolean;
  /** How long a call may hold what it reserved, milliseconds: until its deadline. 0 when nothing is held but requests. */
  readonly holdMs: number;
  readonly settlements: readonly Settlement[];
}

/** One limit as it stands. */
export interface LimitState {
  readonly measure: Measure;
  readonly limit: number;
  /** Of the bucket; absent for calls in flight. */
  readonly windowMs?: number;
  /** What could still be granted. */
  readonly left: number;
  /** Until all of it could be, milliseconds; of calls in flight nobody knows. */
  readonly resetMs: number;
}

export interface MeterAnswer {
  /** The credential was revoked: nothing is granted any more. */
  readonly closed: boolean;
  /** Calls granted; 0 is a refusal, and a refusal costs nothing. */
  readonly granted: number;
  /** What was granted of, beside what was spent at once. */
  readonly limits: readonly LimitState[];
  /** Near a limit: what is not needed is to come back at once. */
  readonly scarce: boolean;
  /** Of a refusal: the limit that takes longest, and how long until the call would be granted were nobody else to ask, milliseconds. */
  readonly refusal?: { readonly measure: Measure; readonly retryAfterMs: number };
}

/** How much is taken ahead, and for how long: chosen by simulation (docs/limits.md). */
export interface LeasePolicy {
  /** How long an isolate may begin calls from a lease, from when it asked. What one does not need is then there for another. */
  readonly lifeMs: number;
  /** A lease takes at most one of so many shares of what is free: it shrinks to one call as the limit comes near. */
  readonly shares: number;
  /** How many times as many calls as the last a lease may be for. */
  readonly growth: number;
  readonly callsMax: number;
}

export const leasePolicy: LeasePolicy = { lifeMs: 1_000, shares: 8, growth: 2, callsMax: 1_024 };
/** More than clocks of two machines drift apart in the life of a call. */
export const marginMs = 250;
/** Leases that are over wait this long to be settled, as long as nobody is refused for them. */
const patienceMs = 60_000;

/**
 * Decides one ask: for a call and, while plenty is free, some like it ahead (a lease). All limits of the subject grant, or none
 * does. What is granted is held until it is settled; what is never settled counts as spent once its calls are over for certain.
 * So whatever dies, and in whatever order messages come, no limit is exceeded.
 */
export function meterStep(
  limits: Limits,
  state: MeterState,
  nowMs: number,
  ask: MeterAsk,
  policy: LeasePolicy = leasePolicy,
): readonly [MeterAnswer, MeterState] {
  if (state.closed) return [{ closed: true, granted: 0, limits: [], scarce: true }, state];
  const draft = draftOf(limits, state, nowMs);
  settle(draft, ask.settlements);
  fold(draft, nowMs - patienceMs);
  const again = draft.grants.find(({ lease }) => lease === ask.lease);
  if (again !== undefined) return [answerOf(draft, again.calls, false), stateOf(draft)];
  if (ask.calls < 1) return [answerOf(draft, 0, false), stateOf(draft)];
  let fit = callsThatFit(draft, ask.call);
  if (fit < 1) {
    fold(draft, nowMs);
    fit = callsThatFit(draft, ask.call);
  }
  const leasable = Math.min(ask.calls, Math.floor(fit / policy.shares));
  const granted = ask.ahead || fit < 1 ? leasable : Math.max(1, leasable);
  const scarce = leasable < ask.calls;
  const refusal = granted < 1 && !ask.ahead ? waitMs(draft, ask.call) : undefined;
  if (granted > 0) grant(draft, ask, granted, policy.lifeMs);
  const answer = answerOf(draft, granted, scarce);
  return [refusal === undefined ? answer : { ...answer, refusal }, stateOf(draft)];
}

function callsThatFit(draft: Draft, call: Amounts): number {
  const counts = measuresIn(call).map((measure) => {
    const amount = call[measure] ?? 0;
    return amount === 0 ? Number.POSITIVE_INFINITY : Math.floor(leftOf(draft, measure) / amount);
  });
  return Math.max(0, Math.min(...counts));
}

/** Whole tokens, or calls in flight, that could be granted now. */
function leftOf(draft: Draft, measure: Measure): number {
  const limit = draft.limits[measure];
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  const rate = rateOf(draft.limits, measure);
  const room = rate === undefined ? limit : Math.floor(roomIn(rate, bucketOf(draft, measure, rate)) / rate.steps);
  return room - (draft.held[measure] ?? 0);
}

function grant(draft: Draft, { lease, call, sure, ahead, holdMs }: MeterAsk, calls: number, lifeMs: number): void {
  const amounts: Sums = {};
  for (const measure of measuresIn(call)) {
    const each = call[measure] ?? 0;
    const atOnce = sure && !ahead && isRequests(measure) ? each : 0;
    if (atOnce > 0) charge(draft, measure, atOnce, draft.nowMs);
    if (each * calls > atOnce) amounts[measure] = each * calls - atOnce;
  }
  if (measuresIn(amounts).length === 0) return;
  const beginUntilMs = draft.nowMs + lifeMs + marginMs;
  const endUntilMs = beginUntilMs + holdMs;
  grantTo(draft, { lease, calls, amounts, spent: {}, freed: {}, beginUntilMs, endUntilMs });
}

function answerOf(draft: Draft, granted: number, scarce: boolean): MeterAnswer {
  return { closed: false, granted, scarce, limits: statesOf(draft) };
}

function statesOf(draft: Draft): readonly LimitState[] {
  const states: LimitState[] = [];
  for (const measure of Object.keys(draft.limits) as (Measure | "input_bytes")[]) {
    const limit = draft.limits[measure];
    if (measure === "input_bytes" || limit === undefined) continue;
    states.push(standing(draft, measure, limit));
  }
  return states;
}

function standing(draft: Draft, measure: Measure, limit: number): LimitState {
  const left = Math.max(0, leftOf(draft, measure));
  const rate = rateOf(draft.limits, measure);
  if (rate === undefined) return { measure, limit, left, resetMs: 0 };
  const bucket = bucketOf(draft, measure, rate);
  const full = { ...bucket, backlog: bucket.backlog + (draft.held[measure] ?? 0) * rate.steps };
  const resetMs = Math.max(0, drainsTo(rate, full, 0) - draft.nowMs);
  return { measure, limit, windowMs: windowMsOf(rate), left, resetMs };
}
