import { type Amount, type QuotaState, usageDimensions } from "@ledge/contract";
import { type QuotaWindow, windowAt } from "@ledge/policy";
import { joinedGroups, type UsageGroup } from "../../usage-lines.ts";
import type { UsageQuery } from "../../usage-query.ts";
import type { LedgerRows, Series } from "./ledger-rows.ts";

/** Sums joined before others get a turn: a report on a year would hold up every call that waits for its quota. */
const atOnceMax = 5_000;

/** One tenant's groups. */
export async function usageGroups(
  rows: LedgerRows,
  tenant: string,
  query: UsageQuery,
  timeZone: string,
): Promise<readonly UsageGroup[]> {
  let groups: readonly UsageGroup[] = [];
  let next: UsageGroup[] = [];
  for (const group of groupsIn(rows, tenant, query, timeZone)) {
    if (next.push(group) < atOnceMax) continue;
    groups = joinedGroups([...groups, ...next]);
    next = [];
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return joinedGroups([...groups, ...next]);
}

function* groupsIn(rows: LedgerRows, tenant: string, query: UsageQuery, timeZone: string): Generator<UsageGroup> {
  const startOf = dayStarts(query.per, timeZone);
  for (const { hourMs: at, series, sums } of rows.hours(query.fromMs, query.toMs)) {
    const named = { ...series, tenant };
    if (usageDimensions.some((of) => query.only[of] !== undefined && query.only[of] !== named[of])) continue;
    yield { head: headOf(named, query, startOf(at)), sums };
  }
}

function headOf(
  series: Series & { readonly tenant: string },
  { by, per }: UsageQuery,
  startMs: number,
): UsageGroup["head"] {
  const named = by.flatMap((of) => (series[of] === undefined ? [] : [[of, series[of]]]));
  return { ...(per === undefined ? {} : { at: new Date(startMs).toISOString() }), ...Object.fromEntries(named) };
}

/** When the hour or the tenant's day of an hour begins. */
function dayStarts(per: UsageQuery["per"], timeZone: string): (atMs: number) => number {
  if (per !== "day") return (atMs) => atMs;
  let known = { startMs: 0, endMs: 0 };
  return (atMs) => {
    // An hour of a zone that is off by half an hour belongs to the day that it begins in.
    if (atMs < known.startMs || atMs >= known.endMs) known = windowAt("day", atMs, timeZone);
    return known.startMs;
  };
}

/** The quotas as they stand. */
export function quotaStates(windows: readonly QuotaWindow[], leased: Amount): QuotaState[] {
  return windows.map(({ kind, period, limit, used, endMs }) => ({
    kind,
    period,
    limit,
    used,
    reserved: leased[kind],
    left: Math.max(0, limit - used - leased[kind]),
    renewed_at: new Date(endMs).toISOString(),
  }));
}
