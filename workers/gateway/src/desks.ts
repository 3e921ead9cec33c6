import type { Caller } from "./caller.ts";
import type { AdminDesk } from "./operate/admins.ts";
import type { CacheDesk } from "./operate/cache.ts";
import type { KeyDesk } from "./operate/keys.ts";
import type { ModelDesk } from "./operate/models.ts";
import type { Admin } from "./operate/operator.ts";
import type { RolloutDesk } from "./operate/rollouts.ts";
import type { TenantDesk } from "./operate/tenants.ts";
import type { TermsDesk } from "./operate/terms.ts";
import type { OperatorRuntime } from "./operator-wire.ts";

/** The desks as an admin finds them: what is changed at one is in the audit under the admin's name. */
export type Desks = ReturnType<typeof desksOf>;

export function desksOf(runtime: OperatorRuntime, admin: Admin) {
  const { name: who } = admin;
  const models: ModelDesk = { ...runtime.models, who };
  const keys: KeyDesk = { ...runtime.keys, who, registers: admin.scopes.includes("tenants:write") };
  const tenants: TenantDesk = { ...runtime.tenants, who };
  const terms: TermsDesk = { ...runtime.terms, who };
  const admins: AdminDesk = { ...runtime.admins, who, admin };
  const rollouts: RolloutDesk = { ...runtime.rollouts, models };
  const cache: CacheDesk = { ...runtime.cache, who };
  return { keys, tenants, terms, admins, models, rollouts, cache, audits: runtime.audits };
}

/** The desk for keys as a tenant's own key finds it: no other tenant is there. */
export function ownKeyDesk(runtime: OperatorRuntime, { subject, ...by }: Caller): KeyDesk {
  return { ...runtime.keys, who: subject, registers: false, by };
}
