import { fail, type KeyRecord, ok, type Result } from "@ledge/contract";
import { isApiKey, keyId } from "@ledge/policy";
import type { Digests, KeyStore } from "../ports.ts";

export interface KeyDoor {
  readonly keys: KeyStore;
  readonly digests: Digests;
  /** Under the deployment's pepper. */
  readonly keyedHash: (key: string) => string;
}

/** Errors: `invalid_credentials`, `expired_credentials`; `identity_unavailable` when the store cannot be read. */
export async function verifyApiKey(key: string, door: KeyDoor, nowMs: number): Promise<Result<KeyRecord>> {
  if (!isApiKey(key)) return fail("invalid_credentials");
  const { keys, digests, keyedHash } = door;
  const hash = keyedHash(key);
  let stored: KeyRecord | undefined;
  try {
    stored = await keys.get(keyId(hash));
  } catch (cause) {
    return fail("identity_unavailable", { retryAfterMs: 1_000, cause: String(cause) });
  }
  if (stored === undefined || !digests.same(stored.hash, hash)) return fail("invalid_credentials");
  return stored.expiresAtMs !== undefined && stored.expiresAtMs <= nowMs ? fail("expired_credentials") : ok(stored);
}
