import type { LedgerEvent, LedgerRules, TenantRecord, UsageAnswer } from "@ledge/contract";
import { adminKey, type TestEdge, until } from "./ledge.ts";
import { publishTenant as publishFields, publishTerms as publishTermFields } from "./tenancy.ts";

/** Tenants with terms of their own, as the directory publishes them, and what their ledgers say. */

/** Micro-cents: 100 a call, 2 an input token, 5 an output token; a kept answer costs a tenth. */
export const testPrice = {
  per_call: 100,
  per_million_input_tokens: 2_000_000,
  per_million_output_tokens: 5_000_000,
  cache_hit_share: 0.1,
};

/** Scripted engines say what they like of a prompt: every byte of it may be a token. */
export const publishTerms = (edge: TestEdge) =>
  publishTermFields(edge, { price: testPrice, models: { "tiny-chat": { tokens_per_byte_max: 1 } } });

export const publishTenant = (
  edge: TestEdge,
  tenant: string,
  quotas: LedgerRules["quotas"],
  more: Partial<TenantRecord> = {},
) => publishFields(edge, tenant, { plan: "internal", quotas, ...more });

export async function usage(edge: TestEdge, query: string): Promise<UsageAnswer> {
  const answer = await edge.get(`/admin/v1/usage?${query}`, adminKey);
  if (answer.status !== 200) throw new Error(`no report: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as UsageAnswer;
}

/** All of a tenant's calls in one line; zeros before its first. */
export async function totals(edge: TestEdge, tenant: string) {
  const { lines, unreported } = await usage(edge, `tenant=${tenant}&by=tenant`);
  const [line] = lines;
  return {
    calls: line?.calls ?? 0,
    failures: line?.failures ?? 0,
    input_tokens: line?.input_tokens ?? 0,
    output_tokens: line?.output_tokens ?? 0,
    cost: line?.cost ?? 0,
    unreported,
  };
}

/** Waits until so many calls of the tenant are in its ledger, and tells what they add up to. */
export async function totalsOf(edge: TestEdge, tenant: string, calls: number) {
  let last = await totals(edge, tenant).catch(() => undefined);
  await until(
    `${calls} calls of ${tenant} in its ledger`,
    async () => {
      last = await totals(edge, tenant);
      return last.calls >= calls;
    },
    15_000,
  );
  return last ?? (await totals(edge, tenant));
}

export async function events(edge: TestEdge, tenant: string): Promise<readonly LedgerEvent[]> {
  const answer = await edge.get(`/admin/v1/events?tenant=${tenant}`, adminKey);
  return ((await answer.json()) as { events: LedgerEvent[] }).events;
}

/** What a call cost, micro-cents; `undefined` when its answer does not say. */
export function costIn(text: string | null | undefined): number | undefined {
  const said = /(\d+)\.(\d{8}) [A-Z]{3}/.exec(text ?? "");
  return said === null ? undefined : Number(said[1]) * 100_000_000 + Number(said[2]);
}
