import {
  type AuditAnswer,
  type AuditLogName,
  auditLog,
  auditLogs,
  type ChainedRow,
  fail,
  modelName,
  ok,
  type Result,
} from "@ledge/contract";
import type { AuditReader } from "./ports.ts";
import { reach } from "./reach.ts";

const limitDefault = 100;
const limitMax = 1_000;

export type AuditDesk = Readonly<Record<AuditLogName, AuditReader>>;

/**
 * Reads the audit: `log`, `model` (in the registry's), `after` (a row's number in one log), `limit`. Without a log, the newest
 * rows of all of them. Errors: `invalid_request`, `registry_unavailable`.
 */
export async function readAudit(query: URLSearchParams, logs: AuditDesk): Promise<Result<AuditAnswer>> {
  const asked = queryOf(query);
  if (!asked.ok) return asked;
  const { log, ...rest } = asked.value;
  const names = log === undefined ? auditLogs : [log];
  const read = await reach(() => Promise.all(names.map((name) => rowsOf(name, logs[name], rest))));
  if (!read.ok) return read;
  const rows = read.value.flat();
  if (log === undefined) rows.sort((a, b) => a.atMs - b.atMs);
  return ok({ rows: rows.slice(-rest.limit) });
}

async function rowsOf(
  log: AuditLogName,
  reader: AuditReader,
  query: Parameters<AuditReader["audit"]>[0],
): Promise<readonly ChainedRow[]> {
  const rows = await reader.audit(query);
  return rows.map((row) => ({ ...row, log }));
}

type Asked = Parameters<AuditReader["audit"]>[0] & { readonly log?: AuditLogName };

function queryOf(query: URLSearchParams): Result<Asked> {
  const model = query.get("model") ?? undefined;
  const named = auditLog.safeParse(query.get("log") ?? (model === undefined ? undefined : "registry"));
  const after = wholeNumber(query.get("after") ?? undefined, Number.MAX_SAFE_INTEGER);
  const limit = wholeNumber(query.get("limit") ?? String(limitDefault), limitMax);
  const log = named.success ? named.data : undefined;
  const issues = [
    ...(named.success || query.get("log") === null ? [] : [{ path: "log", message: `one of ${auditLogs.join(", ")}` }]),
    ...(model === undefined || (log === "registry" && modelName.safeParse(model).success)
      ? []
      : [{ path: "model", message: "a model's name, in the registry's log" }]),
    ...(after === null || (after !== undefined && log === undefined)
      ? [{ path: "after", message: "a row's number, in the log that 'log' names" }]
      : []),
    ...(limit === null || limit === 0 ? [{ path: "limit", message: `a whole number from 1 to ${limitMax}` }] : []),
  ];
  if (issues.length > 0) return fail("invalid_request", { issues });
  return ok({
    limit: limit ?? limitDefault,
    ...(log === undefined ? {} : { log }),
    ...(model === undefined ? {} : { about: model }),
    ...(after === undefined || after === null ? {} : { after }),
  });
}

/** `null` when the text is no whole number from 0 to `max`. */
function wholeNumber(text: string | undefined, max: number): number | undefined | null {
  if (text === undefined) return undefined;
  return /^[0-9]{1,15}$/.test(text) && Number(text) <= max ? Number(text) : null;
}
