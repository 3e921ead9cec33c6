/**
 * GCRA (the leaky bucket as a meter) in whole numbers: no rounding can leak or withhold a request.
 *
 * A bucket holds `limit` requests and drains `limit` per window. The backlog is kept in units of 1/windowMs of a
 * request, so one request adds `windowMs` units and one millisecond drains `limit` units: both whole.
 * Over any span t it admits at most `limit + limit × t / window`. See docs/decisions/0003-rate-limit.md.
 */

export interface RateRule {
  /** Requests per window, and the largest burst. A whole number ≥ 1. */
  readonly limit: number;
  readonly windowMs: number;
}

export interface RateState {
  /** Units of 1/windowMs of a request that have not drained yet. 0 to limit × windowMs. */
  readonly backlog: number;
  /** When `backlog` was true, milliseconds since 1970. */
  readonly atMs: number;
}

export interface RateDecision {
  /** When it was decided, on the counter's clock: milliseconds since 1970. */
  readonly atMs: number;
  /** Requests granted: 0 is a refusal, and a refusal costs nothing. */
  readonly granted: number;
  /** Requests that could still be granted now. */
  readonly remaining: number;
  /** Until the bucket is empty again, milliseconds. */
  readonly resetMs: number;
  /** Until one request would be granted; 0 when one would be now. */
  readonly retryAfterMs: number;
}

/** Tokens of an earlier grant that nobody spent. */
export interface Unspent {
  readonly tokens: number;
  /** The `atMs` of that grant, or of the oldest when there were several. */
  readonly grantedAtMs: number;
}

export const emptyBucket: RateState = { backlog: 0, atMs: 0 };

/**
 * Decides one request for up to `want` tokens. While plenty are free a caller may take several ahead (a lease);
 * never more than an eighth of what is free, so a lease shrinks to 1 as the limit comes near and small limits are
 * always counted one by one. `unspent` tokens are taken back first.
 */
export function takeTokens(
  rule: RateRule,
  state: RateState,
  nowMs: number,
  want: number,
  unspent?: Unspent,
): readonly [RateDecision, RateState] {
  const capacity = rule.limit * rule.windowMs;
  const drained = takeBack(rule, drain(rule, state, nowMs), unspent);
  const free = Math.floor((capacity - drained.backlog) / rule.windowMs);
  const granted = free < 1 ? 0 : Math.max(1, Math.min(want, Math.floor(free / 8)));
  const backlog = drained.backlog + granted * rule.windowMs;
  const remaining = free - granted;
  const shortfall = rule.windowMs - (capacity - backlog);
  return [
    {
      atMs: drained.atMs,
      granted,
      remaining,
      resetMs: Math.ceil(backlog / rule.limit),
      retryAfterMs: remaining > 0 ? 0 : Math.max(0, Math.ceil(shortfall / rule.limit)),
    },
    { backlog, atMs: drained.atMs },
  ];
}

/**
 * Gives back what was deducted for tokens that nobody spent, less what drained since: had they never been taken, the
 * bucket might have been empty meanwhile and drained nothing, so more would be a gift.
 */
function takeBack(rule: RateRule, state: RateState, unspent: Unspent | undefined): RateState {
  if (unspent === undefined || unspent.tokens < 1) return state;
  const heldMs = Math.max(0, state.atMs - unspent.grantedAtMs);
  const refund = Math.max(0, unspent.tokens * rule.windowMs - heldMs * rule.limit);
  return { ...state, backlog: Math.max(0, state.backlog - refund) };
}

/** A clock that steps back drains nothing and forgives nothing. A lowered limit is honoured at once. */
function drain(rule: RateRule, state: RateState, nowMs: number): RateState {
  const elapsedMs = Math.max(0, nowMs - state.atMs);
  const backlog = Math.max(0, Math.min(state.backlog, rule.limit * rule.windowMs) - elapsedMs * rule.limit);
  return { backlog, atMs: Math.max(nowMs, state.atMs) };
}
