import { type Amount, nothing, type Quotas } from "@ledge/contract";
import type { CalendarWindow, Period } from "./window.ts";

/** Quotas: what of a day and a month is used, what is out on lease, and what may still be given. Exact, whatever dies. */

export const amountKinds = ["calls", "tokens", "microcents"] as const;
export type AmountKind = (typeof amountKinds)[number];

type Combined = (a: Amount, b: Amount) => Amount;

function combined(kindly: (a: number, b: number) => number): Combined {
  return (a, b) => ({
    calls: kindly(a.calls, b.calls),
    tokens: kindly(a.tokens, b.tokens),
    microcents: kindly(a.microcents, b.microcents),
  });
}

export const plus: Combined = combined((a, b) => a + b);
export const minus: Combined = combined((a, b) => a - b);
/** Kind by kind the smaller. */
export const least: Combined = combined(Math.min);
/** Kind by kind the larger. */
export const most: Combined = combined(Math.max);

export function times(a: Amount, factor: number): Amount {
  return combined((kind) => Math.floor(kind * factor))(a, a);
}

export function covers(a: Amount, b: Amount): boolean {
  return a.calls >= b.calls && a.tokens >= b.tokens && a.microcents >= b.microcents;
}

/** Only what there is a quota of: of the rest nothing is ever asked. */
export function limitedBy(quotas: Quotas, { calls, tokens, microcents }: Amount): Amount {
  const has = (kind: AmountKind) =>
    quotas[`${kind}_per_day`] !== undefined || quotas[`${kind}_per_month`] !== undefined;
  return {
    calls: has("calls") ? calls : 0,
    tokens: has("tokens") ? tokens : 0,
    microcents: has("microcents") ? microcents : 0,
  };
}

/** A quota in one of its windows. */
export interface QuotaWindow extends CalendarWindow {
  readonly kind: AmountKind;
  readonly period: Period;
  readonly limit: number;
  /** By calls that are over. */
  readonly used: number;
}

/** Every quota there is, as it stands. */
export function quotaWindows(
  quotas: Quotas,
  at: (period: Period) => CalendarWindow & { readonly used: Amount },
): readonly QuotaWindow[] {
  return (["day", "month"] as const).flatMap((period) => {
    const limits = amountKinds.map((kind) => [kind, quotas[`${kind}_per_${period}`]] as const);
    if (limits.every(([, limit]) => limit === undefined)) return [];
    const { startMs, endMs, used } = at(period);
    return limits.flatMap(([kind, limit]) =>
      limit === undefined ? [] : [{ kind, period, limit, used: used[kind], startMs, endMs }],
    );
  });
}

/** What is taken ahead is at most this share of what is free, so that near the end of a quota every call is asked for. */
const aheadShare = 1 / 32;

export interface QuotaGrant {
  /** As in `LedgerAnswer`. */
  readonly refusedUntilMs: readonly number[];
  /** Of all that was granted, admitted calls and ahead. */
  readonly granted: Amount;
  readonly ahead: Amount;
  /** The quotas that refused a call. */
  readonly exhausted: readonly QuotaWindow[];
}

/** Admits, in order, the calls that fit into what is neither used nor on lease, and leases ahead where there is plenty. */
export function grant(
  windows: readonly QuotaWindow[],
  leased: Amount,
  demands: readonly Amount[],
  wish: Amount,
): QuotaGrant {
  let granted = nothing;
  const exhausted = new Set<QuotaWindow>();
  const refusedUntilMs = demands.map((demand) => {
    const short = windows.filter(
      ({ kind, limit, used }) => demand[kind] > 0 && used + leased[kind] + granted[kind] + demand[kind] > limit,
    );
    if (short.length === 0) granted = plus(granted, demand);
    for (const window of short) exhausted.add(window);
    return short.reduce((untilMs, { endMs }) => Math.max(untilMs, endMs), 0);
  });
  const ahead = exhausted.size > 0 ? nothing : aheadOf(windows, plus(leased, granted), wish);
  return { refusedUntilMs, granted: plus(granted, ahead), ahead, exhausted: [...exhausted] };
}

/** The wish scaled down to what may go ahead; nothing when that would not be a whole call. */
function aheadOf(windows: readonly QuotaWindow[], leased: Amount, wish: Amount): Amount {
  let share = 1;
  for (const { kind, limit, used } of windows) {
    const free = Math.max(0, limit - used - leased[kind]);
    if (wish[kind] > 0) share = Math.min(share, (free * aheadShare) / wish[kind]);
  }
  const ahead = share >= 1 ? wish : times(wish, share);
  return amountKinds.some((kind) => wish[kind] > 0 && ahead[kind] === 0) ? nothing : ahead;
}

/** The shares of a quota that its use has reached; a quota of nothing has none. */
export function reached({ limit, used }: QuotaWindow, shares: readonly number[]): readonly number[] {
  return limit === 0 ? [] : shares.filter((share) => used >= limit * share);
}
