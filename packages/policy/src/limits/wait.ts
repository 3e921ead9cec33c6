import { type Amounts, type Measure, measuresIn } from "./amounts.ts";
import { type Bucket, drainsTo, filled, type Rate, rateOf, windowMsOf } from "./bucket.ts";
import { bucketOf, type Draft, foldsAt, openOf } from "./draft.ts";

/** What the longest limit of a refused call is, and how long until the call would be granted if nobody else asks meanwhile. */
export function waitMs(draft: Draft, call: Amounts): { readonly measure: Measure; readonly retryAfterMs: number } {
  const waits = measuresIn(call).map((measure) => ({
    measure,
    retryAfterMs: admitsAt(draft, measure, call[measure] ?? 0) - draft.nowMs,
  }));
  return waits.reduce((longest, wait) => (wait.retryAfterMs > longest.retryAfterMs ? wait : longest));
}

/**
 * When the limit would grant the amount, milliseconds since 1970: as what was spent drains, and what is held is folded into it at
 * the last moment. That it may come back sooner is not known, and a promise is to be kept.
 */
function admitsAt(draft: Draft, measure: Measure, amount: number): number {
  const limit = draft.limits[measure];
  if (limit === undefined) return draft.nowMs;
  const rate = rateOf(draft.limits, measure);
  const holds = draft.grants
    .map((grant) => ({ open: openOf(grant, measure), atMs: foldsAt(grant, measure), spentMs: grant.beginUntilMs }))
    .filter(({ open }) => open > 0)
    .sort((a, b) => a.atMs - b.atMs);
  let held = holds.reduce((sum, { open }) => sum + open, 0);
  let bucket = rate && bucketOf(draft, measure, rate);
  let nowMs = draft.nowMs;
  for (const { open, atMs, spentMs } of holds) {
    const fitsMs = fitsAt(limit - held - amount, rate, bucket);
    if (fitsMs <= atMs) return Math.max(nowMs, fitsMs);
    nowMs = Math.max(nowMs, atMs);
    held -= open;
    if (rate !== undefined && bucket !== undefined) bucket = filled(rate, bucket, open, spentMs, nowMs);
  }
  const fitsMs = fitsAt(limit - amount, rate, bucket);
  // More than the limit ever has: its isolate knew another one. It knows this one by then.
  return Number.isFinite(fitsMs) ? Math.max(nowMs, fitsMs) : nowMs + (rate === undefined ? 1_000 : windowMsOf(rate));
}

/** When no more tokens than `target` are in the bucket. */
function fitsAt(target: number, rate: Rate | undefined, bucket: Bucket | undefined): number {
  if (target < 0) return Number.POSITIVE_INFINITY;
  return rate === undefined || bucket === undefined ? 0 : drainsTo(rate, bucket, target * rate.steps);
}
