import { type LedgerRules, ok, type Result, type Terms } from "@ledge/contract";
import { costMax, priceOf } from "@ledge/policy";
import type { Accounts } from "../accounts.ts";
import type { Demand, Principal, Trail } from "../exchange.ts";
import { outputTokensDefault, promptTokens, termsOf } from "./reserve.ts";

/**
 * Reserves what a call may cost at most, where its tenant has quotas, and notes who pays. Errors: `quota_exceeded`,
 * `ledger_unavailable`.
 */
export async function reserve(
  accounts: Accounts,
  principal: Principal,
  demand: Demand,
  terms: Terms,
  trail: Trail,
  background: (work: Promise<void>) => void,
): Promise<Result<true>> {
  const { action, model, outputTokensMax } = demand;
  if (action === undefined || model === undefined) return ok(true);
  const { quotas, notifyAt, tenant } = principal.standing;
  const price = priceOf(terms, model);
  const rules: LedgerRules = { quotas, notifyAt, timeZone: tenant.time_zone };
  trail.payment = { call: accounts.newCall(), principal, action, price, currency: terms.currency, rules };
  const input = promptTokens(demand, termsOf(terms, model));
  const output = action === "chat" ? (outputTokensMax ?? outputTokensDefault) : 0;
  const call = { calls: 1, tokens: input + output, microcents: costMax(price, input, output) };
  const held = await accounts.reserve(principal.tenant, rules, call, background);
  if (!held.ok) return held;
  if (held.value !== undefined) trail.holds = [...(trail.holds ?? []), held.value];
  return ok(true);
}
