const ivBytes = 12;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Named so, as Node's types and Workers' call it differently. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Which text it is: it opens in no other place. */
export interface Place {
  readonly job: string;
  readonly part: "call" | "answer";
}

/**
 * Seals a tenant's calls and answers with AES-256-GCM: a random 96-bit IV, then the ciphertext with its tag. The key is derived
 * by HKDF (RFC 5869) from the deployment's secret and a salt of the tenant's, and never leaves the runtime.
 */
export class Seals {
  readonly #tenant: string;
  readonly #key: Promise<Key>;

  constructor(secret: string, tenant: string, salt: Uint8Array) {
    this.#tenant = tenant;
    this.#key = keyOf(secret, tenant, salt);
  }

  async seal(place: Place, text: string): Promise<Uint8Array<ArrayBuffer>> {
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
    const sealed = await crypto.subtle.encrypt(this.#algorithm(iv, place), await this.#key, encoder.encode(text));
    const whole = new Uint8Array(ivBytes + sealed.byteLength);
    whole.set(iv);
    whole.set(new Uint8Array(sealed), ivBytes);
    return whole;
  }

  /** `undefined` when it was not sealed for this place with this key, to the bit. */
  async open(place: Place, whole: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
    if (whole.length < ivBytes) return undefined;
    const key = await this.#key;
    try {
      const algorithm = this.#algorithm(whole.subarray(0, ivBytes), place);
      return decoder.decode(await crypto.subtle.decrypt(algorithm, key, whole.subarray(ivBytes)));
    } catch {
      return undefined;
    }
  }

  #algorithm(iv: Uint8Array<ArrayBuffer>, { job, part }: Place) {
    return { name: "AES-GCM", iv, additionalData: encoder.encode(JSON.stringify(["job 1", this.#tenant, job, part])) };
  }
}

async function keyOf(secret: string, tenant: string, salt: Uint8Array): Promise<Key> {
  const whole = await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt, info: encoder.encode(`ledge-jobs-1|${tenant}`) };
  return await crypto.subtle.deriveKey(derivation, whole, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}
