import type { RateAsk, RateDecision, ReturnedLease } from "./rate-limit.ts";

/** What an isolate holds of one rate limit: tokens it may spend without asking. */
export interface Holding {
  readonly leases: readonly HeldLease[];
  /** How many tokens to ask for next time, if that is before `wantUntilMs`. */
  readonly want: number;
  readonly wantUntilMs: number;
}

interface HeldLease {
  readonly id: number;
  readonly tokens: number;
  readonly expiresAtMs: number;
}

/** Short, so that what one isolate does not need is soon there for another. */
export const leaseTtlMs = 1_000;
const wantMax = 1_024;
/** Below this many tokens a lease is not renewed ahead: a hop now and then costs a slow caller nothing. */
const renewFrom = 32;

export const holdsNothing: Holding = { leases: [], want: 1, wantUntilMs: 0 };

/** Spends one token; `undefined` when there is none, or only expired ones. */
export function spend(holding: Holding, nowMs: number): Holding | undefined {
  const at = holding.leases.findIndex(({ tokens, expiresAtMs }) => tokens > 0 && nowMs < expiresAtMs);
  if (at < 0) return undefined;
  const leases = holding.leases.map((lease, i) => (i === at ? { ...lease, tokens: lease.tokens - 1 } : lease));
  return { ...holding, leases };
}

/**
 * Whether to ask for the next lease now, while calls still spend this one: half of a large lease is gone, so the rest
 * would be used up within its second, and then every call at once would stand waiting for the counter.
 */
export function runsLow(holding: Holding, nowMs: number): boolean {
  const held = tokensHeld(holding, nowMs);
  return holding.want >= renewFrom && nowMs < holding.wantUntilMs && held > 0 && held * 4 < holding.want;
}

/**
 * How many tokens to ask for: twice as many each time the last were used up within a second, one after a pause. A slow
 * caller never has tokens taken ahead, a fast one saves nearly all hops.
 */
export function wanted(holding: Holding, nowMs: number): number {
  return nowMs < holding.wantUntilMs ? holding.want : 1;
}

/** Takes out the leases that are used up or expired, to be returned. Each leaves once, so each is returned once. */
export function takeOut(holding: Holding, nowMs: number): readonly [readonly ReturnedLease[], Holding] {
  const live = holding.leases.filter(({ tokens, expiresAtMs }) => tokens > 0 && nowMs < expiresAtMs);
  const over = holding.leases.filter((lease) => !live.includes(lease));
  return [over.map(({ id, tokens }) => ({ id, unspent: tokens })), { ...holding, leases: live }];
}

/**
 * Adds a grant; unless it was asked for ahead, its first token answered the call that asked. It is dated from when it was asked for, so it expires
 * here before the counter could fold it, however long the answer took.
 */
export function addGrant(holding: Holding, decision: RateDecision, ask: RateAsk, askedAtMs: number): Holding {
  const expiresAtMs = askedAtMs + leaseTtlMs;
  const lease = { id: decision.leaseId, tokens: decision.granted - (ask.ahead ? 0 : 1), expiresAtMs };
  return {
    leases: lease.tokens > 0 ? [...holding.leases, lease] : holding.leases,
    want: Math.min(wantMax, ask.want * 2),
    wantUntilMs: expiresAtMs,
  };
}

/** Tokens that could be spent now. */
export function tokensHeld(holding: Holding, nowMs: number): number {
  return holding.leases.reduce((sum, { tokens, expiresAtMs }) => sum + (nowMs < expiresAtMs ? tokens : 0), 0);
}
