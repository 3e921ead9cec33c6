import { type LedgerEvent, type QuotaState, type UsageAnswer, type UsageLine, usageDimensions } from "@ledge/contract";
import { table } from "./table.ts";

const microcentsPerUnit = 100_000_000;

/** A report as tables: the lines, the sum of them, and the quotas. */
export function usageText({ from, to, currency, lines, unreported, quotas }: UsageAnswer): string {
  const heads = (["at", ...usageDimensions] as const).filter((name) => lines.some((line) => line[name] !== undefined));
  const figures = ["calls", "failed", "tokens in", "out", currency, "saved by cache", "by edge", "p50 ms", "p95"];
  const rows = lines.map((line) => [...heads.map((name) => line[name] ?? "–"), ...figuresOf(line)]);
  const span = `${from} to ${to}`;
  const { calls, tokens } = unreported;
  return [
    lines.length === 0 ? `No calls from ${span}.` : table([[...heads, ...figures], ...rows]),
    ...(lines.length === 0 ? [] : [`${span}: ${money(sum(lines))} ${currency}.`]),
    ...(calls + tokens === 0 ? [] : [`Counted against quotas without a row: ${calls} calls, ${tokens} tokens.`]),
    ...(quotas.length === 0 ? [] : [quotasText(quotas, currency)]),
  ].join("\n\n");
}

function figuresOf(line: UsageLine): readonly string[] {
  return [
    line.calls,
    line.failures,
    line.input_tokens,
    line.output_tokens,
    money(line.cost),
    money(line.saved_by_cache),
    money(line.saved_by_edge),
    line.latency_ms_p50 ?? "–",
    line.latency_ms_p95 ?? "–",
  ].map(String);
}

function quotasText(quotas: readonly QuotaState[], currency: string): string {
  const rows = quotas.map(({ kind, period, limit, used, reserved, left, renewed_at }) => {
    const said = (value: number) => (kind === "microcents" ? money(value) : String(value));
    const what = kind === "microcents" ? currency : kind;
    return [`${what} a ${period}`, said(limit), said(used), said(reserved), said(left), renewed_at];
  });
  return table([["quota", "limit", "used", "reserved", "left", "renewed"], ...rows]);
}

export function eventsText(events: readonly LedgerEvent[]): string {
  if (events.length === 0) return "No events.";
  const rows = events.map(({ at, tenant, type, kind, period, used, limit }) => {
    const said = (value: number) => (kind === "microcents" ? money(value) : String(value));
    return [at, tenant, type, `${kind} a ${period}`, `${said(used)} of ${said(limit)}`];
  });
  return table([["when", "tenant", "what", "quota", "used"], ...rows]);
}

function sum(lines: readonly UsageLine[]): number {
  return lines.reduce((total, { cost }) => total + cost, 0);
}

function money(microcents: number): string {
  return (microcents / microcentsPerUnit).toFixed(8);
}
