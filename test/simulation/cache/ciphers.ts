import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";

/**
 * What the vault uses of WebCrypto, done at once: the runtime's own does it on other threads, and which of two ends first would
 * be another thing in every run.
 */

interface Key {
  readonly bytes: Uint8Array;
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
    return { bytes };
  },

  async deriveKey({ salt, info }: Derivation, { bytes }: Key): Promise<Key> {
    return { bytes: new Uint8Array(hkdfSync("sha256", bytes, salt, info, keyBytes)) };
  },

  async sign(_name: "HMAC", { bytes }: Key, data: Uint8Array): Promise<ArrayBuffer> {
    return bufferOf(createHmac("sha256", bytes).update(data).digest());
  },

  async encrypt({ iv, additionalData }: Sealing, { bytes }: Key, data: Uint8Array): Promise<ArrayBuffer> {
    const cipher = createCipheriv("aes-256-gcm", bytes, iv);
    if (additionalData !== undefined) cipher.setAAD(additionalData);
    return bufferOf(Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]));
  },

  async decrypt({ iv, additionalData }: Sealing, { bytes }: Key, sealed: Uint8Array): Promise<ArrayBuffer> {
    const decipher = createDecipheriv("aes-256-gcm", bytes, iv, { authTagLength: tagBytes });
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
