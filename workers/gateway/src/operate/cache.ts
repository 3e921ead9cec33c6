import {
  type CacheAnswer,
  type CacheChange,
  type CacheKeysAnswer,
  type CachePolicy,
  cachePolicy,
  cacheTenant,
  fail,
  ok,
  type PurgeRequest,
  parse,
  purgeRequest,
  type Result,
} from "@ledge/contract";
import { modelNamed, policyOf } from "@ledge/policy";
import type { CacheDone, CacheKeeperPort, RegistryPort } from "./ports.ts";
import { reach } from "./reach.ts";

/** The operator's desk for the answer cache: its keeper's to change, the registry's to say which models there are. */
export interface CacheDesk {
  readonly keeper: CacheKeeperPort;
  readonly registry: RegistryPort;
  /** What holds where neither tenant nor model says otherwise. */
  readonly defaults: CachePolicy;
  /** Whose changes they are, for the audit. */
  readonly who: string;
}

/** Whose policy it is. */
export interface PolicyOwner {
  readonly of: "model" | "tenant";
  readonly name: string;
}

/** Errors: `cache_keeper_unavailable`. */
export async function showCache({ keeper, defaults }: CacheDesk): Promise<Result<CacheAnswer>> {
  const known = await ask(() => Promise.all([keeper.state(), keeper.changes()]));
  if (!known.ok) return known;
  const [{ number, purges, models, tenants }, changes] = known.value;
  const listed = Object.entries(purges)
    .toSorted(([, a], [, b]) => a.number - b.number)
    .map(([scope, purged]) => ({ scope, number: purged.number, at: timeText(purged.atMs) }));
  return ok({ number, default_policy: defaults, purges: listed, models, tenants, changes: [...changes] });
}

/** The policy as it was set; empty when none was. Errors: `model_not_found`, `invalid_request`, the desk's `…_unavailable`. */
export async function showPolicy(owner: PolicyOwner, desk: CacheDesk): Promise<Result<CachePolicy>> {
  const state = await ask(() => desk.keeper.state());
  if (!state.ok) return state;
  const policy = policyOf(state.value, owner.of, owner.name);
  if (policy !== undefined) return ok(policy);
  const there = await ownerIsThere(owner, desk);
  return there.ok ? ok({}) : there;
}

/** Errors: `invalid_request` with every fault, `model_not_found` (also for an embedder or verifier), the desk's `…_unavailable`: nothing is changed then. */
export async function setCachePolicy(owner: PolicyOwner, body: unknown, desk: CacheDesk): Promise<Result<CachePolicy>> {
  const policy = parse(cachePolicy, body);
  if (!policy.ok) return policy;
  const there = await ownerIsThere(owner, desk);
  if (!there.ok) return there;
  const { embedder, verifier } = policy.value.semantic ?? {};
  for (const name of [embedder, verifier]) {
    const known = name === undefined ? ok(true) : await modelIsThere(name, undefined, desk);
    if (!known.ok) return known;
  }
  const done = await changed(desk, { kind: "set-policy", ...owner, policy: policy.value });
  return done.ok ? policy : done;
}

/** Of a model that is gone as well. Taking away what is not there is the same as having done so. Errors: as {@link showPolicy}'s. */
export async function removeCachePolicy(owner: PolicyOwner, desk: CacheDesk): Promise<Result<CachePolicy>> {
  const known = await showPolicy(owner, desk);
  if (!known.ok) return known;
  const done = await changed(desk, { kind: "set-policy", ...owner, policy: null });
  return done.ok ? ok({}) : done;
}

/** Errors: `invalid_request`, `model_not_found`, `version_not_found`, the desk's `…_unavailable`: nothing is purged then. */
export async function purgeCache(body: unknown, desk: CacheDesk): Promise<Result<CacheDone>> {
  const purge = parse(purgeRequest, body);
  if (!purge.ok) return fail("invalid_request", { detail: purges });
  const there = await purgedIsThere(purge.value, desk);
  return there.ok ? await changed(desk, { kind: "purge", purge: purge.value }) : there;
}

const purges =
  'Send exactly one of {"all": true}, {"tenant"}, {"tenant", "tag"}, {"tenant", "key"}, {"model"}, {"model", "version"}: ' +
  "a tag of 1 to 64 of A-Z, a-z, 0-9 and ._:@-, a key of 32 hex digits as Cache-Status says it, a version in quotes.";

/** Errors: `invalid_request`, `cache_keeper_unavailable`. */
export async function listKeys(tenant: string, { keeper }: CacheDesk): Promise<Result<CacheKeysAnswer>> {
  const named = tenantNamed(tenant);
  if (!named.ok) return named;
  const keys = await ask(() => keeper.keys(tenant));
  if (!keys.ok) return keys;
  return ok({ keys: keys.value.map(({ id, createdAtMs }) => ({ id, created_at: timeText(createdAtMs) })) });
}

/**
 * `rotate-keys`: a new key seals, the old ones still open. `destroy-keys`: nothing that was kept of the tenant can be opened
 * ever again. Errors: `invalid_request`, `cache_keys_not_found` for a rotation, `cache_keeper_unavailable`.
 */
export async function changeKeys(
  kind: "rotate-keys" | "destroy-keys",
  tenant: string,
  desk: CacheDesk,
): Promise<Result<CacheDone>> {
  const named = tenantNamed(tenant);
  return named.ok ? await changed(desk, { kind, tenant }) : named;
}

/** 202 when gateways cannot read the change yet. */
export function statusOf({ published }: CacheDone): 200 | 202 {
  return published ? 200 : 202;
}

async function changed({ keeper, who }: CacheDesk, change: CacheChange): Promise<Result<CacheDone>> {
  const done = await ask(() => keeper.change(change, who));
  return done.ok ? done.value : done;
}

async function ownerIsThere({ of, name }: PolicyOwner, desk: CacheDesk): Promise<Result<true>> {
  if (of === "model") return await modelIsThere(name, undefined, desk);
  const named = tenantNamed(name);
  return named.ok ? ok(true) : named;
}

/** A purge of a name that nobody has is a slip of the pen: who made it believes that something was purged. */
async function purgedIsThere(purge: PurgeRequest, desk: CacheDesk): Promise<Result<true>> {
  return "model" in purge ? await modelIsThere(purge.model, purge.version, desk) : ok(true);
}

async function modelIsThere(name: string, version: string | undefined, { registry }: CacheDesk): Promise<Result<true>> {
  const snapshot = await reach(() => registry.snapshot());
  if (!snapshot.ok) return snapshot;
  const model = modelNamed(snapshot.value, name);
  if (model === undefined)
    return fail("model_not_found", { detail: `The registry has no model '${name.slice(0, 64)}'.` });
  if (version === undefined || model.versions.some((known) => known.version === version)) return ok(true);
  return fail("version_not_found", { detail: `'${name}' has no version ${version}; what it answered is not served.` });
}

function tenantNamed(name: string): Result<true> {
  const named = parse(cacheTenant, name);
  if (named.ok) return ok(true);
  const issues = named.fault.issues?.map(({ message }) => ({ path: "tenant", message })) ?? [];
  return fail("invalid_request", { issues });
}

function ask<T>(work: () => Promise<T>): Promise<Result<T>> {
  return reach(work, "cache_keeper_unavailable");
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}
