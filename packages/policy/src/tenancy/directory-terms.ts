import { canonicalJson, type DirectoryChange, fail, ok, type Result, type Terms } from "@ledge/contract";
import { type DirectoryStep, type DirectoryView, nothing } from "./directory-view.ts";

type Change = Extract<DirectoryChange, { kind: "set-plan" | "set-tier" | "set-model-terms" | "set-prices" }>;

/** Plans, tiers, what holds for a model, prices. */
export function termsStep(view: DirectoryView, change: Change): Result<DirectoryStep> {
  const terms = view.terms();
  switch (change.kind) {
    case "set-plan": {
      const refused = change.is === null ? mayNotGo(view, change.plan) : lacksTier(terms, change.is.tier);
      return refused ?? changed(terms, "plans", "plan", change.plan, change.is);
    }
    case "set-tier": {
      const refused = change.is === null ? tierMayNotGo(view, change.tier) : undefined;
      return refused ?? changed(terms, "tiers", "tier", change.tier, change.is);
    }
    case "set-model-terms":
      return changed(terms, "models", "model", change.model, change.is);
    case "set-prices":
      return ok(priced(terms, change));
  }
}

/** What every tenant has that was given no other. */
const planDefault = "internal";

function mayNotGo(view: DirectoryView, plan: string): ReturnType<typeof fail> | undefined {
  if (plan === planDefault)
    return conflict(`'${planDefault}' is the plan of tenants that have no other: change it instead.`);
  const tenant = view.tenantOn(plan);
  return tenant === undefined ? undefined : conflict(`The tenant '${tenant}' has the plan '${plan}'.`);
}

function tierMayNotGo(view: DirectoryView, tier: string): ReturnType<typeof fail> | undefined {
  const plan = Object.entries(view.terms().plans).find(([, is]) => is.tier === tier)?.[0];
  if (plan !== undefined) return conflict(`The plan '${plan}' has the tier '${tier}'.`);
  const key = view.keyOn(tier);
  return key === undefined ? undefined : conflict(`The key ${key} has the tier '${tier}'.`);
}

function lacksTier({ tiers }: Terms, tier: string): ReturnType<typeof fail> | undefined {
  if (Object.hasOwn(tiers, tier)) return undefined;
  return fail("terms_not_found", { detail: `There is no tier '${tier}'.` });
}

function conflict(detail: string) {
  return fail("directory_conflict", { detail });
}

function changed<P extends "plans" | "tiers" | "models">(
  terms: Terms,
  part: P,
  what: string,
  name: string,
  is: Terms[P][string] | null,
): Result<DirectoryStep> {
  const known = new Map<string, Terms[P][string]>(Object.entries(terms[part]) as [string, Terms[P][string]][]);
  const before = known.get(name) ?? null;
  if (before === null && is === null) {
    return fail("terms_not_found", { detail: `There is no ${what} '${name}' with terms of its own.` });
  }
  if (canonicalJson(before) === canonicalJson(is)) return ok(nothing);
  if (is === null) known.delete(name);
  else known.set(name, is);
  const after: Terms = { ...terms, number: terms.number + 1, [part]: Object.fromEntries(known) };
  return ok({
    writes: [{ entry: "terms", is: after }],
    audit: [{ kind: `set-${what === "model" ? "model-terms" : what}`, scope: `${what}:${name}`, from: before, to: is }],
  });
}

function priced(terms: Terms, { currency, price }: Extract<Change, { kind: "set-prices" }>): DirectoryStep {
  const from = { currency: terms.currency, price: terms.price };
  const to = { currency, price };
  if (canonicalJson(from) === canonicalJson(to)) return nothing;
  return {
    writes: [{ entry: "terms", is: { ...terms, number: terms.number + 1, ...to } }],
    audit: [{ kind: "set-prices", scope: "prices", from, to }],
  };
}
