import {
  type Limits,
  type Plan,
  type Price,
  type Quotas,
  type TenantRecord,
  type Terms,
  tenantDefaults,
} from "@ledge/contract";

/** What holds for a caller: its own terms, its tenant's, its plan's and its tier's, worked out once. */
export interface Standing {
  readonly tenant: TenantRecord;
  readonly tier: string;
  /** 0 first, 9 last. */
  readonly priority: number;
  /** The tenant's share under overload, against others'. */
  readonly weight: number;
  readonly limits: {
    readonly key: Limits;
    readonly user: Limits;
    readonly tenant: Limits;
    readonly tier: Limits;
  };
  readonly quotas: Quotas;
  readonly notifyAt: readonly number[];
}

/** Terms of a deployment that nobody gave any: one plan without limits, nothing costs. */
export const defaultTerms: Terms = {
  number: 0,
  currency: "USD",
  plans: { internal: { tier: "standard" } },
  tiers: { standard: { priority: 5 } },
  models: {},
  price: {},
};

const priorityDefault = 5;
const notifyAtDefault = [0.8, 1];

/** `keyLimits`: where neither the key nor its plan has any. */
export function standingOf(
  who: { readonly tier?: string | undefined; readonly limits?: Limits | undefined },
  tenant: TenantRecord,
  terms: Terms,
  keyLimits: Limits,
): Standing {
  const plan: Plan | undefined = own(terms.plans, tenant.plan);
  const tierName = who.tier ?? plan?.tier ?? "standard";
  const tier = own(terms.tiers, tierName);
  return {
    tenant,
    tier: tierName,
    priority: tier?.priority ?? priorityDefault,
    weight: tenant.weight ?? plan?.weight ?? 1,
    limits: {
      key: { ...(plan?.key_limits ?? keyLimits), ...who.limits },
      user: plan?.user_limits ?? {},
      tenant: { ...plan?.limits, ...tenant.limits },
      tier: tier?.limits ?? {},
    },
    quotas: { ...plan?.quotas, ...tenant.quotas },
    notifyAt: plan?.notify_at ?? notifyAtDefault,
  };
}

/** A tenant that the directory does not know: its tokens say who it is, and the defaults what holds for it. */
export function unregistered(tenant: string): TenantRecord {
  return { tenant, ...tenantDefaults };
}

/** What a call of a model costs. */
export function priceOf(terms: Terms, model: string): Price {
  return own(terms.models, model)?.price ?? terms.price;
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
