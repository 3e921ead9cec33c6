import { fail } from "@ledge/contract";
import { jsonAnswer, type OriginCall, type Outcome, targetOf } from "../request.ts";

/** `GET /v1/usage/journal?tenant=…&after=…`: a page of a tenant's calls. Errors: `not_found` where none are written down. */
export function answerJournal({ stage: { journal }, incoming }: OriginCall): Outcome {
  const target = targetOf(incoming);
  const query = new URLSearchParams(target.slice(target.indexOf("?") + 1));
  const [tenant, after] = [query.get("tenant"), query.get("after") ?? ""];
  if (journal === undefined || tenant === null) return fail("not_found");
  return jsonAnswer(journal.read(tenant, after));
}
