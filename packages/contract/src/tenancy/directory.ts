import type { AdminScope } from "./admins.ts";
import type { KeyRecord, TenantRecord } from "./records.ts";
import type { Scope } from "./scopes.ts";
import type { Role, TenantSettings } from "./tenants.ts";
import type { ModelTerms, Plan, Price, ServiceTier } from "./terms.ts";

/** What the directory holds, and every way it can change. Times are milliseconds since 1970. */

export interface DirectoryTenant {
  readonly tenant: string;
  readonly state: TenantRecord["state"];
  readonly settings: TenantSettings;
  readonly createdAtMs: number;
  /** `secret` counts the secrets that there were: each is made from the deployment's pepper, the tenant and its number. */
  readonly webhook?: { readonly url?: string; readonly secret: number };
}

export interface DirectoryProject {
  readonly tenant: string;
  readonly project: string;
  readonly description?: string;
  readonly createdAtMs: number;
}

export interface DirectoryMember {
  readonly tenant: string;
  readonly user: string;
  readonly role: Role;
}

/** A key, also after its end: who used it can be said as long as its tenant is there. */
export interface DirectoryKey extends KeyRecord {
  readonly revokedAtMs?: number;
  readonly rotatedFrom?: string;
  readonly rotatedTo?: string;
}

export interface DirectoryAdmin {
  readonly name: string;
  /** HMAC-SHA-256 of the key under the deployment's pepper, hex. */
  readonly hash: string;
  readonly scopes: readonly AdminScope[];
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
  readonly revokedAtMs?: number;
}

/** A key that asks for its tenant. Other tenants' keys are not there for it, and none comes of it that may do more. */
export interface KeyHolder {
  readonly tenant: string;
  readonly scopes: readonly Scope[];
}

/** Each is checked as a whole and then done as a whole, or refused with a fault. `null` takes away. */
export type DirectoryChange =
  | { readonly kind: "create-tenant"; readonly tenant: string; readonly settings: TenantSettings }
  | { readonly kind: "change-tenant"; readonly tenant: string; readonly patch: object }
  | { readonly kind: "suspend-tenant"; readonly tenant: string }
  | { readonly kind: "resume-tenant"; readonly tenant: string }
  | { readonly kind: "delete-tenant"; readonly tenant: string }
  | { readonly kind: "set-webhook"; readonly tenant: string; readonly url: string | null }
  | { readonly kind: "set-project"; readonly tenant: string; readonly project: string; readonly description?: string }
  | { readonly kind: "remove-project"; readonly tenant: string; readonly project: string }
  | { readonly kind: "set-member"; readonly tenant: string; readonly user: string; readonly role: Role | null }
  /** `registers`: a tenant that nobody made yet is made, with the defaults. */
  | { readonly kind: "issue-key"; readonly key: KeyRecord; readonly registers: boolean; readonly by?: KeyHolder }
  /** Without `expiresAtMs` its end stays as it is. */
  | {
      readonly kind: "change-key";
      readonly id: string;
      readonly patch: object;
      readonly expiresAtMs?: number | null;
    }
  | {
      readonly kind: "rotate-key";
      readonly id: string;
      /** Of the new key. */
      readonly made: Pick<KeyRecord, "id" | "hash">;
      readonly overlapMs: number;
      readonly by?: KeyHolder;
    }
  | { readonly kind: "revoke-key"; readonly id: string; readonly by?: KeyHolder }
  | { readonly kind: "set-plan"; readonly plan: string; readonly is: Plan | null }
  | { readonly kind: "set-tier"; readonly tier: string; readonly is: ServiceTier | null }
  | { readonly kind: "set-model-terms"; readonly model: string; readonly is: ModelTerms | null }
  | { readonly kind: "set-prices"; readonly currency: string; readonly price: Price }
  | { readonly kind: "create-admin"; readonly admin: DirectoryAdmin }
  | { readonly kind: "revoke-admin"; readonly name: string };
