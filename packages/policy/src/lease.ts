/**
 * Tokens an isolate holds of one rate limit. They were deducted when leased, so whatever dies, a limit is not exceeded.
 * The size asked for doubles while leases are used up before they expire and falls back to 1 when one was not: a slow
 * caller never has tokens taken ahead, a fast one saves nearly all hops.
 */
export interface Lease {
  readonly tokens: number;
  readonly expiresAtMs: number;
  /** How many to ask for next time. */
  readonly want: number;
}

/** Short, because a token spent long after it was deducted would shift the burst. */
export const leaseTtlMs = 1_000;
const wantMax = 256;

export const noLease: Lease = { tokens: 0, expiresAtMs: 0, want: 1 };

/** Spends one token of a valid lease; `undefined` when there is none to spend. */
export function spend(lease: Lease, nowMs: number): Lease | undefined {
  if (lease.tokens < 1 || nowMs >= lease.expiresAtMs) return undefined;
  return { ...lease, tokens: lease.tokens - 1 };
}

/** How many tokens to ask for now: only a lease used up before it expired says that more are needed. */
export function wanted(lease: Lease, nowMs: number): number {
  return nowMs < lease.expiresAtMs ? lease.want : 1;
}

/**
 * Adds a grant after its first token was spent. `asked` is what was asked for; concurrent grants add up.
 * The expiry of tokens held before is kept when it is earlier: a lease is never prolonged.
 */
export function addGrant(lease: Lease, granted: number, asked: number, nowMs: number): Lease {
  const valid = lease.tokens > 0 && nowMs < lease.expiresAtMs;
  const expiresAtMs = nowMs + leaseTtlMs;
  return {
    tokens: (valid ? lease.tokens : 0) + granted - 1,
    expiresAtMs: valid ? Math.min(lease.expiresAtMs, expiresAtMs) : expiresAtMs,
    want: Math.min(wantMax, asked * 2),
  };
}
