import type { KeyRecord } from "@ledge/contract";
import { base64Url } from "./base64-url.ts";

/** An API key is the prefix and 256 random bits, base64url without padding. */
const keyPattern = /^ledge_[A-Za-z0-9_-]{43}$/;
const keyBytes = 32;

export type KeyFields = Omit<KeyRecord, "id" | "hash">;

export function isApiKey(text: string): boolean {
  return keyPattern.test(text);
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
  if (random.length !== keyBytes) throw new RangeError(`a key takes ${keyBytes} random bytes, not ${random.length}`);
  const key = `ledge_${base64Url(random)}`;
  const hash = keyedHash(key);
  const stored: KeyRecord = { id: keyId(hash), hash, ...fields };
  return { key, stored };
}
