import type { StoredKey } from "@ledge/policy";

/** Ports that more than one stage needs. */

/** Where API keys are kept. A throw means the store cannot be reached: the caller is then refused, never passed. */
export interface KeyStore {
  get(id: string): Promise<StoredKey | undefined>;
  put(key: StoredKey): Promise<void>;
  delete(id: string): Promise<void>;
}

/** SHA-256, of a text over its UTF-8, and comparing digests. */
export interface Digests {
  sha256Hex(data: string | Uint8Array): string;
  /** Whether two hex digests are equal, in a time that does not depend on where they differ. */
  same(a: string, b: string): boolean;
}
