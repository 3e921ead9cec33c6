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

/** Tokens taken ahead by an isolate: reserved, and not yet known to be spent or not. */
export interface OpenLease {
  readonly id: number;
  readonly tokens: number;
  /** When they count as spent because nobody said otherwise. */
  readonly foldAtMs: number;
}

export interface RateState {
  /** Units of 1/windowMs of a request that have not drained yet. 0 to limit × windowMs. */
  readonly backlog: number;
  /** When `backlog` was true, milliseconds since 1970. */
  readonly atMs: number;
  readonly leases: readonly OpenLease[];
  readonly nextLeaseId: number;
}

/** What became of a lease: how many of its tokens were not spent. */
export interface ReturnedLease {
  readonly id: number;
  readonly unspent: number;
}

/** What an isolate asks of the counter. */
export interface RateAsk {
  /** Tokens it would like. */
  readonly want: number;
  /** Leases of its own that are over. */
  readonly returned: readonly ReturnedLease[];
  /** True when no call waits for it: then no token is spent yet, and getting none refuses nobody. */
  readonly ahead: boolean;
}

export interface RateDecision {
  /** Requests granted: 0 is a refusal, and a refusal costs nothing. */
  readonly granted: number;
  /** The lease that holds those not spent at once; to be returned when it is over. */
  readonly leaseId: number;
  /** Requests that could still be granted now. */
  readonly remaining: number;
  /** Until the bucket is empty again, milliseconds. */
  readonly resetMs: number;
  /** Until one request would be granted; 0 when one would be now. */
  readonly retryAfterMs: number;
}

export const emptyBucket: RateState = { backlog: 0, atMs: 0, leases: [], nextLeaseId: 1 };

/** Longer than an isolate may spend a lease, so that none is spent after it was folded. */
const foldAfterMs = 10_000;

/**
 * Decides one request for up to `want` tokens. While plenty are free a caller may take several ahead (a lease); never
 * more than an eighth of what is free, so a lease shrinks to 1 as the limit comes near and small limits are always
 * counted one by one. Leases that came back are settled first.
 */
export function takeTokens(
  rule: RateRule,
  state: RateState,
  nowMs: number,
  { want, returned, ahead }: RateAsk,
): readonly [RateDecision, RateState] {
  const { limit, windowMs } = rule;
  const settled = settle(rule, drain(rule, state, nowMs), returned);
  const reserved = settled.leases.reduce((sum, { tokens }) => sum + tokens, 0);
  const room = limit * windowMs - settled.backlog - reserved * windowMs;
  const free = Math.floor(room / windowMs);
  const leasable = Math.max(0, Math.min(want, Math.floor(free / 8)));
  const granted = ahead || free < 1 ? leasable : Math.max(1, leasable);
  const after = granted < 1 ? settled : grant(rule, settled, granted, ahead ? 0 : 1);
  const left = room - granted * windowMs;
  return [
    {
      granted,
      leaseId: settled.nextLeaseId,
      remaining: Math.max(0, free - granted),
      resetMs: Math.ceil((limit * windowMs - left) / limit),
      retryAfterMs: left >= windowMs ? 0 : Math.ceil((windowMs - left) / limit),
    },
    after,
  ];
}

/** What the call itself spends is spent; the rest is reserved until its lease comes back. */
function grant({ windowMs }: RateRule, state: RateState, granted: number, spent: 0 | 1): RateState {
  const backlog = state.backlog + spent * windowMs;
  const tokens = granted - spent;
  if (tokens === 0) return { ...state, backlog };
  const lease: OpenLease = { id: state.nextLeaseId, tokens, foldAtMs: state.atMs + foldAfterMs };
  return { ...state, backlog, leases: [...state.leases, lease], nextLeaseId: state.nextLeaseId + 1 };
}

/**
 * Moves tokens of leases that came back, or never will, from reserved to spent; unspent ones become free. What was
 * spent counts from now on, later than it was spent: that can only admit less, never more. A lease that was folded is
 * no longer known, so returning it late or twice gives nothing.
 */
function settle({ windowMs }: RateRule, state: RateState, returned: readonly ReturnedLease[]): RateState {
  if (state.leases.length === 0) return state;
  let backlog = state.backlog;
  const leases = state.leases.filter(({ id, tokens, foldAtMs }) => {
    const back = returned.find((lease) => lease.id === id);
    if (back === undefined && state.atMs < foldAtMs) return true;
    const unspent = Math.min(tokens, Math.max(0, back?.unspent ?? 0));
    backlog += (tokens - unspent) * windowMs;
    return false;
  });
  return { ...state, backlog, leases };
}

/** A clock that steps back drains nothing and forgives nothing. A lowered limit is honoured at once. */
function drain({ limit, windowMs }: RateRule, state: RateState, nowMs: number): RateState {
  const elapsedMs = Math.max(0, nowMs - state.atMs);
  const backlog = Math.max(0, Math.min(state.backlog, limit * windowMs) - elapsedMs * limit);
  return { ...state, backlog, atMs: Math.max(nowMs, state.atMs) };
}
