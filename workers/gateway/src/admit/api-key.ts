import { fail, ok, type Result } from "@ledge/contract";
import { isApiKey, keyId, type StoredKey } from "@ledge/policy";
import type { Principal } from "../exchange.ts";
import type { Digests, KeyStore } from "../ports.ts";

const minuteMs = 60_000;

/** Errors: `invalid_credentials`; `identity_unavailable` when the store cannot be read. */
export async function verifyApiKey(key: string, keys: KeyStore, digests: Digests): Promise<Result<Principal>> {
  if (!isApiKey(key)) return fail("invalid_credentials");
  const hash = digests.sha256Hex(key);
  let stored: StoredKey | undefined;
  try {
    stored = await keys.get(keyId(hash));
  } catch (cause) {
    return fail("identity_unavailable", { retryAfterMs: 1_000, cause: String(cause) });
  }
  if (stored === undefined || !digests.same(stored.hash, hash)) return fail("invalid_credentials");
  return ok({
    tenant: stored.tenant,
    subject: `key:${stored.id}`,
    rate: { limit: stored.requestsPerMinute, windowMs: minuteMs },
  });
}
