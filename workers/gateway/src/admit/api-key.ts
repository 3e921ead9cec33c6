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
  return isApiKey(key) ? await verifyHash(door.keyedHash(key), door, nowMs) : fail("invalid_credentials");
}

/** A key by its keyed hash, or a client certificate by its SHA-256: neither can be made to be the other. Errors: as above. */
export async function verifyHash(hash: string, { keys, digests }: KeyDoor, nowMs: number): Promise<Result<KeyRecord>> {
  let stored: KeyRecord | undefined;
  try {
    stored = await keys.get(keyId(hash));
  } catch (cause) {
    return fail("identity_unavailable", { retryAfterMs: 1_000, cause: String(cause) });
  }
  if (stored === undefined || !digests.same(stored.hash, hash)) return fail("invalid_credentials");
  return stored.expiresAtMs !== undefined && stored.expiresAtMs <= nowMs ? fail("expired_credentials") : ok(stored);
}
