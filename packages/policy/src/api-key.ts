import type { KeyRecord } from "@ledge/contract";
import { base64Url } from "./base64-url.ts";

/** An API key is the prefix and 256 random bits, base64url without padding. */
const keyPattern = /^ledge_[A-Za-z0-9_-]{43}$/;
const keyBytes = 32;

const adminKeyPattern = /^ledge_admin_[A-Za-z0-9_-]{43}$/;

export type KeyFields = Omit<KeyRecord, "id" | "hash">;

export function isApiKey(text: string): boolean {
  return keyPattern.test(text);
}

/** Whether it looks like a key of the operator's, beside the deployment's own, which may be anything. */
export function isAdminKey(text: string): boolean {
  return adminKeyPattern.test(text);
}

/** The first 96 bits of the keyed hash: enough to find the entry, useless to make the key. */
export function keyId(hash: string): string {
  return hash.slice(0, 24);
}

export function isKeyId(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text);
}

/**
 * Makes a key of 32 random bytes. `key` is shown once; `stored` is all that is kept. `keyedHash`: HMAC-SHA-256 under the
 * deployment's pepper, hex. Throws on any other number of bytes: a short key would be a weak one.
 */
export function mintKey(random: Uint8Array, fields: KeyFields, keyedHash: (text: string) => string) {
  const key = `ledge_${secretOf(random)}`;
  const hash = keyedHash(key);
  const stored: KeyRecord = { id: keyId(hash), hash, ...fields };
  return { key, stored };
}

/** As {@link mintKey}, for the operator. */
export function mintAdminKey(random: Uint8Array, keyedHash: (text: string) => string) {
  const key = `ledge_admin_${secretOf(random)}`;
  return { key, hash: keyedHash(key) };
}

function secretOf(random: Uint8Array): string {
  if (random.length !== keyBytes) throw new RangeError(`a key takes ${keyBytes} random bytes, not ${random.length}`);
  return base64Url(random);
}
