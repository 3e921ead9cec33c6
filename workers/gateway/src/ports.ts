import type {
  Amount,
  KeyRecord,
  LedgerAnswer,
  LedgerMessage,
  QuotaState,
  Result,
  TenantRecord,
  Terms,
} from "@ledge/contract";
import type { UsageGroup } from "./usage-lines.ts";

/** Ports that more than one stage needs. */

/** Where API keys are kept. A throw means the store cannot be reached: the caller is then refused, never passed. */
export interface KeyStore {
  get(id: string): Promise<KeyRecord | undefined>;
}

/** What the directory published of tenants and of the deployment's terms. A throw means that it cannot be reached. */
export interface PublishedTenancy {
  tenant(name: string): Promise<TenantRecord | undefined>;
  terms(): Promise<Terms | undefined>;
}

/** The ledger of each tenant. A throw means that it cannot be reached, or that nobody knows whether the message arrived. */
export interface TenantLedger {
  /** Takes a message once, however often it comes. */
  report(tenant: string, message: LedgerMessage): Promise<LedgerAnswer>;
}

/** One tenant's part of a report. */
export interface TenantUsage {
  readonly groups: readonly UsageGroup[];
  readonly unreported: Amount;
  readonly quotas: readonly QuotaState[];
}

/** Where callers' reports come from. A throw means that it cannot be reached. */
export interface UsageReader {
  /** A caller's report as text; `only` is what it may see, whatever the query asks. Errors: `invalid_request`. */
  usage(
    tenant: string,
    search: string,
    only: { readonly key?: string; readonly user?: string },
  ): Promise<Result<{ readonly type: string; readonly text: string }>>;
}

/** SHA-256, of a text over its UTF-8, and comparing digests. */
export interface Digests {
  sha256Hex(data: string | Uint8Array): string;
  /** Whether two hex digests are equal, in a time that does not depend on where they differ. */
  same(a: string, b: string): boolean;
}
