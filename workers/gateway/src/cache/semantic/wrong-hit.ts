import { type CacheFeedbackRequest, cacheFeedbackRequest, fail, ok, parse, type Result } from "@ledge/contract";
import type { EntryPurger } from "../ports.ts";

/**
 * Takes a caller's word that an answer was not the one it asked for: the entry that gave it is purged, for everybody of its
 * tenant and for no other. Errors: `invalid_request`, `cache_keeper_unavailable`: nothing is removed then.
 */
export async function takeWrongHit(
  body: unknown,
  tenant: string,
  purger: EntryPurger,
): Promise<Result<CacheFeedbackRequest>> {
  const request = parse(cacheFeedbackRequest, body);
  if (!request.ok) return request;
  try {
    const purged = await purger.purgeEntry(tenant, request.value.id);
    return purged.ok ? ok(request.value) : purged;
  } catch (error) {
    return fail("cache_keeper_unavailable", { cause: String(error) });
  }
}
