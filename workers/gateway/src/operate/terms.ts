import {
  type DirectoryChange,
  fail,
  type ModelTerms,
  modelTerms,
  ok,
  type Plan,
  type Prices,
  parse,
  plan,
  planName,
  prices,
  type Result,
  type ServiceTier,
  type Terms,
  tier,
} from "@ledge/contract";
import { modelNamed } from "@ledge/policy";
import { ask, changeDirectory, type DirectoryDesk, type Made } from "./directory.ts";
import type { DirectoryWriter, RegistryPort, TermsReader } from "./ports.ts";
import { reach } from "./reach.ts";

/** The operator's desk for plans, tiers, prices and what holds for models. */
export interface TermsDesk extends DirectoryDesk {
  readonly directory: DirectoryWriter & TermsReader;
  readonly registry: RegistryPort;
}

/** All there are, as gateways read them. Errors: `directory_unavailable`. */
export function showTerms({ directory }: TermsDesk): Promise<Result<Terms>> {
  return ask(() => directory.terms());
}

/** Errors: `invalid_request`, `terms_not_found` for a tier that is not there, `directory_unavailable`. */
export async function setPlan(name: string, body: unknown, desk: TermsDesk): Promise<Result<Made<Plan>>> {
  const named = mayBeCalled(name, "plan");
  if (!named.ok) return named;
  const request = parse(plan, body);
  return request.ok ? await changed({ kind: "set-plan", plan: name, is: request.value }, request.value, desk) : request;
}

/** Errors: `invalid_request`, `directory_unavailable`. */
export async function setTier(name: string, body: unknown, desk: TermsDesk): Promise<Result<Made<ServiceTier>>> {
  const named = mayBeCalled(name, "tier");
  if (!named.ok) return named;
  const request = parse(tier, body);
  return request.ok ? await changed({ kind: "set-tier", tier: name, is: request.value }, request.value, desk) : request;
}

/** Errors: `terms_not_found`, `directory_conflict` while it is somebody's, `directory_unavailable`. */
export function removeTerms(
  change: Extract<DirectoryChange, { kind: "set-plan" | "set-tier" | "set-model-terms" }>,
  name: string,
  desk: TermsDesk,
): Promise<Result<Made<{ readonly removed: string }>>> {
  return changed(change, { removed: name }, desk);
}

/** Empty when the model has none of its own. Errors: `model_not_found`, the desk's `…_unavailable`. */
export async function showModelTerms(name: string, desk: TermsDesk): Promise<Result<ModelTerms>> {
  const terms = await showTerms(desk);
  if (!terms.ok) return terms;
  const known = new Map(Object.entries(terms.value.models)).get(name);
  if (known !== undefined) return ok(known);
  const there = await modelIsThere(name, desk);
  return there.ok ? ok({}) : there;
}

/** Errors: `invalid_request`, `model_not_found`, the desk's `…_unavailable`. */
export async function setModelTerms(name: string, body: unknown, desk: TermsDesk): Promise<Result<Made<ModelTerms>>> {
  const request = parse(modelTerms, body);
  if (!request.ok) return request;
  const there = await modelIsThere(name, desk);
  if (!there.ok) return there;
  return await changed({ kind: "set-model-terms", model: name, is: request.value }, request.value, desk);
}

/** Errors: `invalid_request`, `directory_unavailable`. */
export async function setPrices(body: unknown, desk: TermsDesk): Promise<Result<Made<Prices>>> {
  const request = parse(prices, body);
  return request.ok ? await changed({ kind: "set-prices", ...request.value }, request.value, desk) : request;
}

async function changed<T>(change: DirectoryChange, value: T, desk: TermsDesk): Promise<Result<Made<T>>> {
  const done = await changeDirectory(change, desk);
  return done.ok ? ok({ value, published: done.value.published }) : done;
}

function mayBeCalled(name: string, path: string): Result<true> {
  const named = parse(planName, name);
  const message = "a small letter or digit, then such, '.', '_', '-': 64 at most";
  return named.ok ? ok(true) : fail("invalid_request", { issues: [{ path, message }] });
}

async function modelIsThere(name: string, { registry }: TermsDesk): Promise<Result<true>> {
  const snapshot = await reach(() => registry.snapshot());
  if (!snapshot.ok) return snapshot;
  if (modelNamed(snapshot.value, name) !== undefined) return ok(true);
  return fail("model_not_found", { detail: `The registry has no model '${name.slice(0, 64)}'.` });
}
