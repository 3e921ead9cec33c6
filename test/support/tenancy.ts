import type { Limits, TenantRecord, Terms } from "@ledge/contract";
import { tenantDefaults } from "@ledge/contract";
import { defaultTerms } from "@ledge/policy";
import { adminKey, type TestEdge, until } from "./ledge.ts";
import { storeKey } from "./stored-keys.ts";

/** What the directory publishes, written by a test. To be called before the first call that it is for: isolates know it for seconds. */

const keysOf = (edge: TestEdge) => edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");

export async function publishTenant(edge: TestEdge, tenant: string, fields: Partial<TenantRecord>): Promise<void> {
  await (await keysOf(edge)).put(`tenant:${tenant}`, JSON.stringify({ tenant, ...tenantDefaults, ...fields }));
}

/** A directory publishes the shipped terms when it is first asked: it is asked here, so that they never land on these later. */
export async function publishTerms(edge: TestEdge, fields: Partial<Terms>): Promise<void> {
  const keys = await keysOf(edge);
  const asked = await edge.get("/admin/v1/terms", adminKey);
  if (asked.status !== 200) throw new Error(`no terms: ${asked.status} ${await asked.text()}`);
  await until("the shipped terms in KV", async () => (await keys.get("terms:current")) !== null);
  await keys.put("terms:current", JSON.stringify({ ...defaultTerms, ...fields }));
}

/** A new key with limits of its own; with none at all: `{}`. */
export async function issueLimited(
  edge: TestEdge,
  limits: Limits,
  tenant = "acme",
): Promise<{ readonly id: string; readonly key: string }> {
  return await storeKey(edge, { tenant, limits });
}
