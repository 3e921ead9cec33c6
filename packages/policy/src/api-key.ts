/** An API key is the prefix and 256 random bits, base64url without padding. */
const keyPattern = /^ledge_[A-Za-z0-9_-]{43}$/;
const keyBytes = 32;

/** A stored API key: never the key itself. KV holds it under `key:<id>`. */
export interface StoredKey {
  readonly id: string;
  /** SHA-256 of the whole key, hex. */
  readonly hash: string;
  readonly tenant: string;
  readonly name: string;
  readonly requestsPerMinute: number;
  /** RFC 3339. */
  readonly createdAt: string;
}

export type KeyFields = Pick<StoredKey, "tenant" | "name" | "requestsPerMinute" | "createdAt">;

export function isApiKey(text: string): boolean {
  return keyPattern.test(text);
}

/** The first 96 bits of the hash: enough to find the entry, useless to make the key. */
export function keyId(hash: string): string {
  return hash.slice(0, 24);
}

export function isKeyId(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text);
}

/**
 * Makes a key of 32 random bytes. `key` is shown once; `stored` is all that is kept.
 * Throws on any other number of bytes: a short key would be a weak one.
 */
export function mintKey(random: Uint8Array, fields: KeyFields, sha256Hex: (text: string) => string) {
  if (random.length !== keyBytes) throw new RangeError(`a key takes ${keyBytes} random bytes, not ${random.length}`);
  const key = `ledge_${base64Url(random)}`;
  const hash = sha256Hex(key);
  const stored: StoredKey = { id: keyId(hash), hash, ...fields };
  return { key, stored };
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function base64Url(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 6; bits -= 6) text += alphabet.charAt((held >> (bits - 6)) & 63);
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet.charAt((held << (6 - bits)) & 63);
}
