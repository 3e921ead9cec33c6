import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";

/**
 * What the vault uses of WebCrypto, done at once: the runtime's own does it on other threads, and which of two ends first would
 * be another thing in every run.
 */

interface Key {
  readonly secret: KeyObject;
}

interface Derivation {
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
}

interface Sealing {
  readonly iv: Uint8Array;
  readonly additionalData?: Uint8Array;
}

const tagBytes = 16;
const keyBytes = 32;

const subtle = {
  async importKey(_format: "raw", bytes: Uint8Array): Promise<Key> {
    return { secret: createSecretKey(bytes) };
  },

  async deriveKey({ salt, info }: Derivation, { secret }: Key): Promise<Key> {
    return { secret: createSecretKey(new Uint8Array(hkdfSync("sha256", secret, salt, info, keyBytes))) };
  },

  async sign(_name: "HMAC", { secret }: Key, data: Uint8Array): Promise<ArrayBuffer> {
    return bufferOf(createHmac("sha256", secret).update(data).digest());
  },

  async encrypt({ iv, additionalData }: Sealing, { secret }: Key, data: Uint8Array): Promise<ArrayBuffer> {
    const cipher = createCipheriv("aes-256-gcm", secret, iv);
    if (additionalData !== undefined) cipher.setAAD(additionalData);
    return bufferOf(Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]));
  },

  async decrypt({ iv, additionalData }: Sealing, { secret }: Key, sealed: Uint8Array): Promise<ArrayBuffer> {
    const decipher = createDecipheriv("aes-256-gcm", secret, iv, { authTagLength: tagBytes });
    if (additionalData !== undefined) decipher.setAAD(additionalData);
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    return bufferOf(Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]));
  },
};

function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** In place of the global of that name. */
export const promptCrypto = {
  subtle,
  getRandomValues: <T extends Uint8Array>(bytes: T): T => globalCrypto.getRandomValues(bytes),
  randomUUID: () => globalCrypto.randomUUID(),
};

const globalCrypto = globalThis.crypto;
