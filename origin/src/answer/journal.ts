import { fail } from "@ledge/contract";
import type { OriginContext } from "../request.ts";

/** `GET /v1/usage/journal?tenant=…&after=…`: a page of a tenant's calls. Errors: `not_found` where none are written down. */
export function answerJournal(context: OriginContext): Response | ReturnType<typeof fail> {
  const { journal } = context.get("stage");
  const { tenant, after = "" } = context.req.query();
  if (journal === undefined || tenant === undefined) return fail("not_found");
  return context.json(journal.read(tenant, after));
}
