import type { KeyRecord, TenantRecord, Terms } from "@ledge/contract";

/** Ports that more than one stage needs. */

/** Where API keys are kept. A throw means the store cannot be reached: the caller is then refused, never passed. */
export interface KeyStore {
  get(id: string): Promise<KeyRecord | undefined>;
  put(key: KeyRecord): Promise<void>;
  delete(id: string): Promise<void>;
}

/** What the directory published of tenants and of the deployment's terms. A throw means that it cannot be reached. */
export interface PublishedTenancy {
  tenant(name: string): Promise<TenantRecord | undefined>;
  terms(): Promise<Terms | undefined>;
}

/** SHA-256, of a text over its UTF-8, and comparing digests. */
export interface Digests {
  sha256Hex(data: string | Uint8Array): string;
  /** Whether two hex digests are equal, in a time that does not depend on where they differ. */
  same(a: string, b: string): boolean;
}
