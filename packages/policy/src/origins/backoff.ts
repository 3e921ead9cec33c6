/** Exponential backoff with full jitter: a wait anywhere from nothing to the whole, so that callers do not come back together. */
export interface BackoffRule {
  readonly baseMs: number;
  readonly maxMs: number;
}

export const backoffRule: BackoffRule = { baseMs: 50, maxMs: 2_000 };

/** How long to wait before retry number `retry` (from 1). `random` is from 0 to 1. */
export function backoffMs({ baseMs, maxMs }: BackoffRule, retry: number, random: number): number {
  return Math.floor(random * Math.min(maxMs, baseMs * 2 ** Math.min(retry - 1, 30)));
}
