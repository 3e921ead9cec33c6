import type { TenantRecord } from "./records.ts";
import type { Scope } from "./scopes.ts";

/** What holds where nobody said. Apart from the schemas, which the gateway does not carry: it trusts what the directory published. */

/** What a tenant is of whom the directory knows nothing but the name, as with tokens of a tenant nobody registered. */
export const tenantDefaults = {
  state: "active",
  plan: "internal",
  time_zone: "UTC",
  overrun: "allow",
  guard: { mode: "off", model: "guard", threshold: 0.5, benign: "neither" },
  input: { unicode: "allow", out_of_distribution: "allow" },
} as const satisfies Omit<TenantRecord, "tenant">;

/** What a key may do that was issued without saying: everything but other keys' business. */
export const scopesDefault: readonly Scope[] = [
  { actions: ["infer", "embed", "chat", "batch", "feedback"], models: ["*"] },
];
