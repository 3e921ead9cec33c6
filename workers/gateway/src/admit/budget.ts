import { type LedgerRules, ok, type Result } from "@ledge/contract";
import { costMax, priceOf } from "@ledge/policy";
import type { Accounts } from "../accounts.ts";
import type { Demand, Principal, Trail } from "../exchange.ts";
import type { Standings } from "./standings.ts";

/** What is reserved of a chat whose caller sets no bound. */
const outputTokensDefault = 1_024;

/** Tenants' money, calls and tokens, as an isolate knows them. */
export interface Budget {
  readonly accounts: Accounts;
  readonly standings: Standings;
}

/**
 * Reserves what a call may cost at most, where its tenant has quotas, and notes who pays. Errors: `quota_exceeded`,
 * `ledger_unavailable`, `identity_unavailable`.
 */
export async function reserve(
  { accounts, standings }: Budget,
  principal: Principal,
  { action, model, inputBytes, outputTokensMax }: Demand,
  trail: Trail,
  background: (work: Promise<void>) => void,
): Promise<Result<true>> {
  if (action === undefined || model === undefined) return ok(true);
  const terms = await standings.terms();
  if (!terms.ok) return terms;
  const { quotas, notifyAt, tenant } = principal.standing;
  const price = priceOf(terms.value, model);
  const rules: LedgerRules = { quotas, notifyAt, timeZone: tenant.time_zone };
  trail.payment = { call: accounts.newCall(), principal, action, price, currency: terms.value.currency, rules };
  const { tokens_per_byte_max: perByte = 1 } = Object.hasOwn(terms.value.models, model)
    ? (terms.value.models[model] ?? {})
    : {};
  const input = Math.ceil(inputBytes * perByte);
  const output = action === "chat" ? (outputTokensMax ?? outputTokensDefault) : 0;
  const call = { calls: 1, tokens: input + output, microcents: costMax(price, input, output) };
  const held = await accounts.reserve(principal.tenant, rules, call, background);
  if (!held.ok) return held;
  if (held.value !== undefined) trail.holds = [...(trail.holds ?? []), held.value];
  return ok(true);
}
