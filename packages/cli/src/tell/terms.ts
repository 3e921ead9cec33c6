import type { Terms } from "@ledge/contract";
import { table } from "./table.ts";
import { textOf } from "./tenancy.ts";

export function plansText({ plans }: Terms): string {
  const rows = Object.entries(plans).map(([name, plan]) => [
    name,
    plan.tier,
    String(plan.weight ?? 1),
    textOf(plan.limits),
    textOf(plan.key_limits),
    textOf(plan.user_limits),
    textOf(plan.quotas),
    textOf(plan.notify_at),
  ]);
  return table([["plan", "tier", "weight", "limits", "of a key", "of a user", "quotas", "notify at"], ...rows]);
}

export function tiersText({ tiers }: Terms): string {
  const rows = Object.entries(tiers).map(([name, { priority, limits }]) => [name, String(priority), textOf(limits)]);
  return table([["tier", "priority", "limits"], ...rows]);
}

export function pricesText({ currency, price, models }: Terms): string {
  const rows = Object.entries(models).map(([name, terms]) => [
    name,
    textOf(terms.price),
    textOf(terms.limits),
    textOf(terms.tokens_per_byte_max),
  ]);
  return [
    table([["model", "price", "limits", "tokens a byte"], ["others", textOf(price) || "nothing", "–", "–"], ...rows]),
    `In micro-cents of ${currency}.`,
  ].join("\n\n");
}
