import { nothing, type UsageAnswer, type UsageDimension, type UsageLine, usageDimensions } from "@ledge/contract";
import { addSums, latencyQuantile, noSums, plus, type Sums } from "@ledge/policy";
import type { TenantUsage } from "./ports.ts";
import type { UsageQuery } from "./usage-query.ts";

/** The calls of one group of a report. */
export interface UsageGroup {
  /** What names it, and when it was. */
  readonly head: Pick<UsageLine, UsageDimension | "at">;
  readonly sums: Sums;
}

/** Equal groups of several ledgers become one. In the order of time and then of names. */
export function linesOf(groups: Iterable<UsageGroup>): UsageLine[] {
  return [...joinedGroups(groups)].map(({ head, sums }) => ({ ...head, ...figures(sums) }));
}

export function joinedGroups(groups: Iterable<UsageGroup>): readonly UsageGroup[] {
  const joined = new Map<string, UsageGroup>();
  for (const { head, sums } of groups) {
    const key = JSON.stringify(head);
    joined.set(key, { head, sums: addSums(joined.get(key)?.sums ?? noSums, sums) });
  }
  return [...joined].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

function figures(sums: Sums): Omit<UsageLine, UsageDimension | "at"> {
  const p50 = latencyQuantile(sums.latency, 0.5);
  const p95 = latencyQuantile(sums.latency, 0.95);
  return {
    calls: sums.calls,
    failures: sums.failures,
    input_tokens: sums.inputTokens,
    output_tokens: sums.outputTokens,
    cost: sums.cost,
    list_cost: sums.listCost,
    saved_by_cache: Math.max(0, sums.listCost - sums.cost),
    saved_by_edge: sums.edgeSaved,
    ...(p50 === undefined || p95 === undefined ? {} : { latency_ms_p50: p50, latency_ms_p95: p95 }),
  };
}

/** The parts of a report joined. Quotas are told of the only tenant there is. */
export function usageAnswerOf(
  { fromMs, toMs }: UsageQuery,
  tenants: readonly TenantUsage[],
  currency: string,
): UsageAnswer {
  const [only, ...others] = tenants;
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    currency,
    lines: linesOf(tenants.flatMap(({ groups }) => groups)),
    unreported: tenants.reduce((sum, { unreported }) => plus(sum, unreported), nothing),
    quotas: others.length === 0 ? [...(only?.quotas ?? [])] : [],
  };
}

export const jsonType = "application/json";
export const csvType = "text/csv; charset=utf-8";

const columns = [
  "at",
  ...usageDimensions,
  "calls",
  "failures",
  "input_tokens",
  "output_tokens",
  "cost",
  "list_cost",
  "saved_by_cache",
  "saved_by_edge",
  "latency_ms_p50",
  "latency_ms_p95",
] as const;

/** As CSV (RFC 4180), money in micro-cents. */
export function csvOf({ lines, currency }: UsageAnswer): string {
  const rows = lines.map((line) => [...columns.map((column) => line[column]), currency]);
  return [[...columns, "currency"], ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** A text that a spreadsheet would take for a formula gets a quote before it. */
function cell(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
