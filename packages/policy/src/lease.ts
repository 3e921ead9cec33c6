import type { RateDecision, Unspent } from "./rate-limit.ts";

/**
 * Tokens an isolate holds of one rate limit. They were deducted when leased, so whatever dies, a limit is not exceeded.
 * The size asked for doubles while leases are used up before they expire and falls back to 1 when one was not: a slow
 * caller never has tokens taken ahead, a fast one saves nearly all hops.
 */
export interface Lease {
  readonly tokens: number;
  /** The counter's time of the oldest grant in it. */
  readonly grantedAtMs: number;
  /** On this isolate's clock. */
  readonly expiresAtMs: number;
  /** How many to ask for next time. */
  readonly want: number;
}

/** Short, because a token spent long after it was deducted would shift the burst. */
export const leaseTtlMs = 1_000;
const wantMax = 256;

export const noLease: Lease = { tokens: 0, grantedAtMs: 0, expiresAtMs: 0, want: 1 };

/** Spends one token of a valid lease; `undefined` when there is none to spend. */
export function spend(lease: Lease, nowMs: number): Lease | undefined {
  if (lease.tokens < 1 || nowMs >= lease.expiresAtMs) return undefined;
  return { ...lease, tokens: lease.tokens - 1 };
}

/** How many tokens to ask for now: only a lease used up before it expired says that more are needed. */
export function wanted(lease: Lease, nowMs: number): number {
  return nowMs < lease.expiresAtMs ? lease.want : 1;
}

/** Takes what has expired unspent out of a lease, to be given back. It leaves the lease, so it is given back once. */
export function expire(lease: Lease, nowMs: number): readonly [Unspent | undefined, Lease] {
  if (lease.tokens < 1 || nowMs < lease.expiresAtMs) return [undefined, lease];
  return [
    { tokens: lease.tokens, grantedAtMs: lease.grantedAtMs },
    { ...lease, tokens: 0 },
  ];
}

/**
 * Adds a grant after its first token was spent. `asked` is what was asked for. A lease only grows while tokens are left
 * when calls asked at the same moment, so one expiry, the newest, serves them all.
 */
export function addGrant(lease: Lease, { granted, atMs }: RateDecision, asked: number, nowMs: number): Lease {
  const held = lease.tokens > 0;
  return {
    tokens: lease.tokens + granted - 1,
    grantedAtMs: held ? Math.min(lease.grantedAtMs, atMs) : atMs,
    expiresAtMs: nowMs + leaseTtlMs,
    want: Math.min(wantMax, asked * 2),
  };
}
