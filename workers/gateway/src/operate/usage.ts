import {
  type EventsAnswer,
  fail,
  type LedgerRowsAnswer,
  ok,
  parse,
  type ReconcileAnswer,
  type Result,
  reconcileRequest,
} from "@ledge/contract";
import { defaultTerms } from "@ledge/policy";
import type { PublishedTenancy, TenantUsage } from "../ports.ts";
import { csvOf, csvType, jsonType, usageAnswerOf } from "../usage-lines.ts";
import { readUsageQuery, type UsageQuery } from "../usage-query.ts";
import type { LedgersPort } from "./ports.ts";
import { reach } from "./reach.ts";

export interface UsageDesk {
  readonly ledgers: LedgersPort;
  readonly published: Pick<PublishedTenancy, "terms">;
  readonly nowMs: () => number;
}

/** Ledgers asked at once. */
const atOnceMax = 16;
const linesMax = 50_000;
const limitDefault = 100;
const limitMax = 1_000;

/** A report as text. Errors: `invalid_request`, `ledger_unavailable`. */
export async function reportUsage(
  query: URLSearchParams,
  { ledgers, published, nowMs }: UsageDesk,
): Promise<Result<{ readonly type: string; readonly text: string }>> {
  const asked = readUsageQuery(query, query.has("tenant") ? "model" : "tenant", nowMs());
  if (!asked.ok) return asked;
  const found = await reach(async () => {
    const terms = await published.terms();
    return { parts: await partsOf(asked.value, ledgers), currency: terms?.currency ?? defaultTerms.currency };
  }, "ledger_unavailable");
  if (!found.ok) return found;
  const answer = usageAnswerOf(asked.value, found.value.parts, found.value.currency);
  if (answer.lines.length > linesMax) {
    return fail("invalid_request", {
      detail: `The report has more than ${linesMax} lines: ask for less of it at once.`,
    });
  }
  return ok(
    asked.value.csv ? { type: csvType, text: csvOf(answer) } : { type: jsonType, text: JSON.stringify(answer) },
  );
}

async function partsOf(query: UsageQuery, ledgers: LedgersPort): Promise<readonly TenantUsage[]> {
  const { tenant } = query.only;
  const known = await ledgers.tenants();
  // A tenant that never called has no ledger, and gets none by being asked about.
  const tenants = tenant === undefined ? known : [tenant].filter((name) => known.includes(name));
  const parts: TenantUsage[] = [];
  for (let at = 0; at < tenants.length; at += atOnceMax) {
    const some = tenants.slice(at, at + atOnceMax);
    parts.push(...(await Promise.all(some.map((name) => ledgers.usage(name, query)))));
  }
  return parts;
}

function limitIn(query: URLSearchParams): Result<number> {
  const text = query.get("limit") ?? String(limitDefault);
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= limitMax) return ok(limit);
  return fail("invalid_request", { issues: [{ path: "limit", message: `a whole number from 1 to ${limitMax}` }] });
}

/** `tenant` (all of them without it), `limit`. Errors: `invalid_request`, `ledger_unavailable`. */
export async function readEvents(query: URLSearchParams, { ledgers }: UsageDesk): Promise<Result<EventsAnswer>> {
  const limit = limitIn(query);
  if (!limit.ok) return limit;
  const tenant = query.get("tenant");
  const events = await reach(async () => {
    const known = await ledgers.tenants();
    const tenants = tenant === null ? known : known.filter((name) => name === tenant);
    return (await Promise.all(tenants.map((name) => ledgers.events(name, limit.value)))).flat();
  }, "ledger_unavailable");
  if (!events.ok) return events;
  return ok({ events: events.value.toSorted((a, b) => (a.at < b.at ? -1 : 1)).slice(-limit.value) });
}

/** The calls of one `tenant`, oldest first: `after` (what an earlier page names), `limit`. Errors: `invalid_request`, `ledger_unavailable`. */
export async function readRows(query: URLSearchParams, { ledgers }: UsageDesk): Promise<Result<LedgerRowsAnswer>> {
  const limit = limitIn(query);
  if (!limit.ok) return limit;
  const tenant = query.get("tenant");
  if (tenant === null) return fail("invalid_request", { issues: [{ path: "tenant", message: "a tenant's name" }] });
  const after = query.get("after") ?? "";
  const rows = await reach(async () => {
    const isKnown = (await ledgers.tenants()).includes(tenant);
    return isKnown ? await ledgers.rows(tenant, after, limit.value) : [];
  }, "ledger_unavailable");
  if (!rows.ok) return rows;
  const last = rows.value.at(-1);
  return ok({ rows: [...rows.value], next: last === undefined ? after : `${last.at_ms}:${last.id}` });
}

/** Errors: `invalid_request`, `ledger_unavailable`. */
export async function reconcile(body: unknown, { ledgers }: UsageDesk): Promise<Result<ReconcileAnswer>> {
  const request = parse(reconcileRequest, body);
  return request.ok ? await reach(() => ledgers.reconcile(request.value.tenant), "ledger_unavailable") : request;
}
