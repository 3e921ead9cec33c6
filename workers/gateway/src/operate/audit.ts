import { type AuditAnswer, fail, modelName, ok, type Result } from "@ledge/contract";
import type { RegistryPort } from "./ports.ts";
import { reach } from "./reach.ts";

const limitDefault = 100;
const limitMax = 1_000;

/** Reads the audit: `model`, `after` (a row's number), `limit`. Errors: `invalid_request`, `registry_unavailable`. */
export async function readAudit(query: URLSearchParams, registry: RegistryPort): Promise<Result<AuditAnswer>> {
  const model = query.get("model") ?? undefined;
  const after = wholeNumber(query.get("after") ?? undefined, Number.MAX_SAFE_INTEGER);
  const limit = wholeNumber(query.get("limit") ?? String(limitDefault), limitMax);
  const issues = [
    ...(model === undefined || modelName.safeParse(model).success
      ? []
      : [{ path: "model", message: "a model's name" }]),
    ...(after === null ? [{ path: "after", message: "a row's number" }] : []),
    ...(limit === null || limit === 0 ? [{ path: "limit", message: `a whole number from 1 to ${limitMax}` }] : []),
  ];
  if (issues.length > 0) return fail("invalid_request", { issues });
  const rows = await reach(() =>
    registry.audit({
      limit: limit ?? limitDefault,
      ...(model === undefined ? {} : { model }),
      ...(after === undefined || after === null ? {} : { after }),
    }),
  );
  return rows.ok ? ok({ rows: [...rows.value] }) : rows;
}

/** `null` when the text is no whole number from 0 to `max`. */
function wholeNumber(text: string | undefined, max: number): number | undefined | null {
  if (text === undefined) return undefined;
  return /^[0-9]{1,15}$/.test(text) && Number(text) <= max ? Number(text) : null;
}
