import type { GatewayEnv, OperatorEnv } from "../env.ts";
import type { LedgersPort } from "../operate/ports.ts";
import type { TenantLedger, UsageReader } from "../ports.ts";

/** One object a tenant, as gateways reach it. */
export function durableLedger(ledgers: GatewayEnv["LEDGERS"]): TenantLedger & UsageReader {
  return {
    report: async (tenant, message) => await ledgers.getByName(tenant).report(tenant, message),
    usage: async (tenant, search, only) => await ledgers.getByName(tenant).callersUsage(tenant, search, only),
  };
}

/** All of them, as the operator's desk does. */
export function durableLedgers(ledgers: OperatorEnv["LEDGERS"], list: OperatorEnv["LEDGER_LIST"]): LedgersPort {
  return {
    tenants: async () => await list.getByName("tenants").tenants(),
    usage: async (tenant, query) => await ledgers.getByName(tenant).usage(tenant, query),
    rows: async (tenant, after, limit) => await ledgers.getByName(tenant).rows(after, limit),
    events: async (tenant, limit) => await ledgers.getByName(tenant).events(limit),
    reconcile: async (tenant) => await ledgers.getByName(tenant).reconcile(tenant),
  };
}
