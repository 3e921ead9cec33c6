import type { SealingKey, SealingKeys } from "../../cache/semantic/ports.ts";

/** What of an entry nobody may read at rest. */
export interface EntryContent {
  /** The vector in bytes, as `packages/policy` makes it. */
  readonly codes: Int8Array;
  readonly prompt: string;
  readonly slot: string;
}

/** What a seal holds to: a sealed entry opens nowhere else, under no other id and with no other expiry. */
export interface EntryPlace {
  readonly object: string;
  readonly id: string;
  readonly keyId: string;
  readonly expiresAtMs: number;
}

const ivBytes = 12;
const headBytes = 2;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Seals entries with AES-256-GCM: a random 96-bit IV, then the ciphertext with its tag. Imported keys are remembered. */
export class EntrySeals {
  readonly #imported = new Map<string, { readonly bytes: Uint8Array; readonly key: Promise<CryptoKey> }>();

  async seal(key: SealingKey, place: EntryPlace, content: EntryContent): Promise<Uint8Array<ArrayBuffer>> {
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
    const algorithm = { name: "AES-GCM", iv, additionalData: boundTo(place) };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, await this.#key(key), packed(content)));
    const whole = new Uint8Array(ivBytes + sealed.length);
    whole.set(iv);
    whole.set(sealed, ivBytes);
    return whole;
  }

  /** Nothing when it was not sealed with this key for this place, to the bit. */
  async open(key: SealingKey, place: EntryPlace, sealed: Uint8Array<ArrayBuffer>): Promise<EntryContent | undefined> {
    if (sealed.length < ivBytes) return undefined;
    const algorithm = { name: "AES-GCM", iv: sealed.subarray(0, ivBytes), additionalData: boundTo(place) };
    const imported = await this.#key(key);
    try {
      return unpacked(await crypto.subtle.decrypt(algorithm, imported, sealed.subarray(ivBytes)));
    } catch {
      return undefined;
    }
  }

  #key({ id, bytes }: SealingKey): Promise<CryptoKey> {
    const known = this.#imported.get(id);
    if (known?.bytes.every((byte, at) => byte === bytes[at])) return known.key;
    const key = crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    // A tenant's keys are one or two; what was rotated out is forgotten with the object.
    this.#imported.set(id, { bytes, key });
    return key;
  }
}

export function keyNamed(keys: SealingKeys, id: string): SealingKey | undefined {
  return keys.find((key) => key.id === id);
}

/** JSON delimits the parts, so no two places have the same text. */
function boundTo({ object, id, keyId, expiresAtMs }: EntryPlace): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(["semantic 1", object, id, keyId, expiresAtMs]));
}

/** Dimensions (16 bits, big-endian), the codes, then `[prompt, slot]` as JSON. */
function packed({ codes, prompt, slot }: EntryContent): Uint8Array<ArrayBuffer> {
  const text = utf8(JSON.stringify([prompt, slot]));
  const whole = new Uint8Array(headBytes + codes.length + text.length);
  new DataView(whole.buffer).setUint16(0, codes.length);
  whole.set(new Uint8Array(codes.buffer, codes.byteOffset, codes.length), headBytes);
  whole.set(text, headBytes + codes.length);
  return whole;
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(text));
}

function unpacked(whole: ArrayBuffer): EntryContent {
  const dimensions = new DataView(whole).getUint16(0);
  const [prompt, slot] = JSON.parse(decoder.decode(new Uint8Array(whole, headBytes + dimensions))) as [string, string];
  return { codes: new Int8Array(whole, headBytes, dimensions), prompt, slot };
}
