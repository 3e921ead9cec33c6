import {
  aliasName,
  fail,
  type ModelsAnswer,
  ok,
  packageDocument,
  parse,
  pointRequest,
  policyRequest,
  type RegisteredModel,
  type RegisteredVersion,
  type RegistryChange,
  type Result,
  type Snapshot,
  type VersionState,
} from "@ledge/contract";
import { modelNamed } from "@ledge/policy";
import type { Digests } from "../ports.ts";
import type { BlobStore, Loader, RegistryPort } from "./ports.ts";
import { reach } from "./reach.ts";

/** The operator's desk for models. All changes are the registry's to take or refuse; its faults pass through. */
export interface ModelDesk {
  readonly registry: RegistryPort;
  readonly blobs: BlobStore;
  readonly loader: Loader;
  readonly digests: Digests;
  /** Milliseconds since 1970 by which a load must have ended. */
  readonly loadDeadlineMs: () => number;
  /** Whose changes they are, for the audit. */
  readonly who: string;
}

/** Makes a change and reads the registry after it. */
export async function made(
  desk: ModelDesk,
  change: RegistryChange,
): Promise<Result<{ readonly changed: boolean; readonly snapshot: Snapshot }>> {
  const done = await reach(() => desk.registry.change(change, desk.who));
  if (!done.ok) return done;
  if (!done.value.ok) return done.value;
  const { changed } = done.value.value;
  const snapshot = await reach(() => desk.registry.snapshot());
  if (!snapshot.ok) return snapshot;
  return ok({ changed, snapshot: snapshot.value });
}

/** Makes a change of one model and answers with that model. */
async function changed(
  desk: ModelDesk,
  change: Exclude<RegistryChange, { kind: "register" | "set-hot" }>,
): Promise<Result<RegisteredModel>> {
  const done = await made(desk, change);
  return done.ok ? modelOf(done.value.snapshot, change.model) : done;
}

export async function listModels({ registry }: ModelDesk): Promise<Result<ModelsAnswer>> {
  const snapshot = await reach(() => registry.snapshot());
  if (!snapshot.ok) return snapshot;
  const { number, models } = snapshot.value;
  return ok({ number, models: Object.values(models) });
}

/** Errors: `model_not_found`, `registry_unavailable`. */
export async function showModel(name: string, { registry }: ModelDesk): Promise<Result<RegisteredModel>> {
  const snapshot = await reach(() => registry.snapshot());
  return snapshot.ok ? modelOf(snapshot.value, name) : snapshot;
}

/** Errors: `model_not_found`, `version_not_found`, `registry_unavailable`. */
export async function showVersion(name: string, version: string, desk: ModelDesk): Promise<Result<RegisteredVersion>> {
  const model = await showModel(name, desk);
  if (!model.ok) return model;
  const found = model.value.versions.find((known) => known.version === version);
  return found === undefined ? fail("version_not_found") : ok(found);
}

/** A package's document by its digest, for whoever serves it. Errors: `model_not_found`, `registry_unavailable`. */
export async function packageOf(digest: string, { registry }: ModelDesk): Promise<Result<string>> {
  const snapshot = await reach(() => registry.snapshot());
  if (!snapshot.ok) return snapshot;
  const versions = Object.values(snapshot.value.models).flatMap((model) => model.versions);
  const found = versions.find((version) => version.digest === digest);
  return found === undefined ? fail("model_not_found") : ok(packageDocument(found.manifest));
}

/**
 * `ready`: has the edge load the version first, when it is for the edge. `unloaded`: from then on calls are refused; the
 * edge finishes what it has and frees it. Errors: the registry's; what the edge says when it cannot load.
 */
export async function setState(
  name: string,
  version: string,
  state: VersionState,
  desk: ModelDesk,
): Promise<Result<RegisteredModel>> {
  const known = await showVersion(name, version, desk);
  if (!known.ok) return known;
  const { digest, manifest } = known.value;
  const ref = { model: name, version, digest };
  const atEdge = manifest.tiers.includes("edge");
  if (atEdge && state === "ready") {
    const loaded = await desk.loader.load(ref, desk.loadDeadlineMs());
    if (!loaded.ok)
      return fail(loaded.fault.code, { ...loaded.fault, detail: loaded.fault.cause ?? "The edge cannot." });
  }
  const done = await changed(desk, { kind: "set-state", model: name, version, state });
  // An isolate that does not hear of it frees the model when it needs the room.
  if (done.ok && atEdge && state === "unloaded") await desk.loader.unload(ref, desk.loadDeadlineMs());
  return done;
}

export async function removeVersion(
  name: string,
  version: string,
  desk: ModelDesk,
): Promise<Result<{ readonly removed: string }>> {
  const done = await made(desk, { kind: "remove", model: name, version });
  return done.ok ? ok({ removed: `${name}@${version}` }) : done;
}

/** Errors: `invalid_request` for a name that cannot be an alias; the registry's. */
export async function pointAlias(
  name: string,
  alias: string,
  body: unknown,
  desk: ModelDesk,
): Promise<Result<RegisteredModel>> {
  const named = parse(aliasName, alias);
  if (!named.ok) return fail("invalid_request", { issues: [{ path: "alias", message: "not a name for an alias" }] });
  const request = parse(pointRequest, body);
  if (!request.ok) return request;
  return await changed(desk, { kind: "set-alias", model: name, alias, version: request.value.version });
}

export function removeAlias(name: string, alias: string, desk: ModelDesk): Promise<Result<RegisteredModel>> {
  return changed(desk, { kind: "set-alias", model: name, alias, version: null });
}

export async function setPolicy(name: string, body: unknown, desk: ModelDesk): Promise<Result<RegisteredModel>> {
  const policy = parse(policyRequest, body);
  if (!policy.ok) return policy;
  return await changed(desk, { kind: "set-policy", model: name, policy: policy.value });
}

export async function setStable(name: string, body: unknown, desk: ModelDesk): Promise<Result<RegisteredModel>> {
  const request = parse(pointRequest, body);
  if (!request.ok) return request;
  return await changed(desk, { kind: "set-stable", model: name, version: request.value.version });
}

/** Back to what answered before: ends a running rollout, else goes to the stable version before this one. */
export async function rollBack(name: string, desk: ModelDesk): Promise<Result<RegisteredModel>> {
  const model = await showModel(name, desk);
  if (!model.ok) return model;
  const { rollout, stable, previousStable } = model.value;
  if (rollout !== undefined) {
    const ended = { model: name, id: rollout.id, outcome: "rolled-back", reason: "asked for" } as const;
    return await changed(desk, { kind: "end-rollout", ...ended });
  }
  if (previousStable === undefined) {
    const detail = `'${name}' was never stable at another version than ${stable}.`;
    return fail("registry_conflict", { detail });
  }
  return await changed(desk, { kind: "set-stable", model: name, version: previousStable });
}

export function modelOf(snapshot: Snapshot, name: string): Result<RegisteredModel> {
  const model = modelNamed(snapshot, name);
  return model === undefined
    ? fail("model_not_found", { detail: "The registry has no model of this name." })
    : ok(model);
}
