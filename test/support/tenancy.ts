import type { Limits, TenantRecord, Terms } from "@ledge/contract";
import { tenantDefaults } from "@ledge/contract";
import { defaultTerms } from "@ledge/policy";
import type { TestEdge } from "./ledge.ts";
import { storeKey } from "./stored-keys.ts";

/** What the directory publishes, written by a test. To be called before the first call that it is for: isolates know it for seconds. */

const keysOf = (edge: TestEdge) => edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");

export async function publishTenant(edge: TestEdge, tenant: string, fields: Partial<TenantRecord>): Promise<void> {
  await (await keysOf(edge)).put(`tenant:${tenant}`, JSON.stringify({ tenant, ...tenantDefaults, ...fields }));
}

export async function publishTerms(edge: TestEdge, fields: Partial<Terms>): Promise<void> {
  await (await keysOf(edge)).put("terms:current", JSON.stringify({ ...defaultTerms, ...fields }));
}

/** A new key with limits of its own; with none at all: `{}`. */
export async function issueLimited(
  edge: TestEdge,
  limits: Limits,
  tenant = "acme",
): Promise<{ readonly id: string; readonly key: string }> {
  return await storeKey(edge, { tenant, limits });
}
