import {
  fail,
  type Issue,
  ok,
  type Result,
  type UsageDimension,
  usageDimension,
  usageDimensions,
} from "@ledge/contract";

/** What a report on usage is asked for: by the operator of all tenants, by a caller of its own calls. */
export interface UsageQuery {
  readonly by: readonly UsageDimension[];
  readonly per?: "hour" | "day";
  /** Milliseconds since 1970, whole hours of UTC, `toMs` excluded. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Only calls of which this is so. */
  readonly only: Readonly<Partial<Record<UsageDimension, string>>>;
}

export interface UsageAsked extends UsageQuery {
  readonly csv: boolean;
}

const hourMs = 3_600_000;
const rangeMsDefault = 30 * 24 * hourMs;
const rangeMsMax = 366 * 24 * hourMs;
const textMax = 256;

/**
 * `by` (names split by commas), `per` (`hour` or `day`), `from` and `to` (RFC 3339; the last 30 days), `format` (`json` or `csv`),
 * and any of the names that `by` takes to see only calls of which it is so. Errors: `invalid_request`.
 */
export function readUsageQuery(query: URLSearchParams, byDefault: UsageDimension, nowMs: number): Result<UsageAsked> {
  const issues: Issue[] = [];
  const wrong = (path: string, message: string) => void issues.push({ path, message });
  const by = (query.get("by") ?? byDefault).split(",").filter((name) => name !== "");
  if (!by.every(isDimension)) wrong("by", `names of ${usageDimensions.join(", ")}, split by commas`);
  const per = query.get("per") ?? undefined;
  if (per !== undefined && per !== "hour" && per !== "day") wrong("per", "hour or day");
  const format = query.get("format") ?? "json";
  if (format !== "json" && format !== "csv") wrong("format", "json or csv");
  const toMs = instantOf(query.get("to"), nowMs);
  const fromMs = instantOf(query.get("from"), toMs - rangeMsDefault);
  if (Number.isNaN(toMs)) wrong("to", "a date or time of RFC 3339");
  if (Number.isNaN(fromMs) && !Number.isNaN(toMs)) wrong("from", "a date or time of RFC 3339");
  if (toMs < fromMs || toMs - fromMs > rangeMsMax) wrong("from", "before 'to', and a year before it at most");
  const known = new Set<string>([...usageDimensions, "by", "per", "format", "from", "to"]);
  for (const name of query.keys()) if (!known.has(name)) wrong(name.slice(0, 64), "nothing that a report is asked by");
  const only: Partial<Record<UsageDimension, string>> = {};
  for (const of of usageDimensions) {
    const value = query.get(of);
    if (value !== null && value.length > textMax) wrong(of, `at most ${textMax} characters`);
    else if (value !== null) only[of] = value;
  }
  if (issues.length > 0) return fail("invalid_request", { issues });
  return ok({
    by: by.filter(isDimension),
    ...(per === "hour" || per === "day" ? { per } : {}),
    fromMs: Math.floor(fromMs / hourMs) * hourMs,
    toMs: Math.ceil(toMs / hourMs) * hourMs,
    only,
    csv: format === "csv",
  });
}

function isDimension(name: string): name is UsageDimension {
  return usageDimension.safeParse(name).success;
}

function instantOf(text: string | null, otherwiseMs: number): number {
  if (text === null) return otherwiseMs;
  return /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}
