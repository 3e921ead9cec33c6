import {
  fail,
  type ModelManifest,
  ok,
  type RegisteredModel,
  type RegisteredVersion,
  type RegistryChange,
  type RegistryState,
  type Result,
  type VersionState,
} from "@ledge/contract";
import type { ModelStep } from "./step.ts";

/** A snapshot is read whole by every isolate, so it stays small: some 2 kB a version. */
const versionsMax = 2_000;

/** The first version of a model is stable; later ones wait for a rollout or an operator. */
export function register(
  state: RegistryState,
  model: RegisteredModel | undefined,
  change: Extract<RegistryChange, { kind: "register" }>,
  nowMs: number,
): Result<ModelStep | undefined> {
  const { digest, source } = change;
  const { name } = change.manifest;
  if (model?.versions.some((known) => known.digest === digest) === true) return ok(undefined);
  const count = Object.values(state.models).reduce((sum, { versions }) => sum + versions.length, 0);
  if (count >= versionsMax) {
    return fail("registry_conflict", {
      detail: `The registry holds ${versionsMax} versions and takes no more: remove old ones first.`,
    });
  }
  const retired = Object.hasOwn(state.retired, name) ? state.retired[name] : undefined;
  const number = (model?.highestVersion ?? retired ?? 0) + 1;
  const version = String(number);
  const added: RegisteredVersion = {
    version,
    digest,
    state: "ready",
    source,
    createdAtMs: nowMs,
    manifest: forRequests(change.manifest, version),
  };
  const fresh = { name, policy: { all: {} }, stable: version, aliases: {}, versions: [] };
  const before = model ?? fresh;
  return ok({
    model: { ...before, highestVersion: number, versions: [...before.versions, added] },
    from: null,
    to: { version, digest, source },
  });
}

/** Without what no request needs; every isolate keeps this. */
function forRequests({ metrics: _metrics, training: _training, ...rest }: ModelManifest, version: string) {
  return { ...rest, version };
}

export function setVersionState(
  model: RegisteredModel,
  version: string,
  state: VersionState,
): Result<ModelStep | undefined> {
  const known = versionOf(model, version);
  if (!known.ok) return known;
  if (known.value.state === state) return ok(undefined);
  const need = state === "unloaded" ? whatNeeds(model, version) : undefined;
  // A model may be unloaded as a whole: its last ready version goes although it is stable, and the bare name answers that
  // the model is not ready.
  const last = model.versions.every((other) => other.version === version || other.state === "unloaded");
  if (need !== undefined && !(need.by === "stable" && last)) return fail("version_in_use", { detail: need.detail });
  const versions = model.versions.map((other) => (other.version === version ? { ...other, state } : other));
  return ok({
    model: { ...model, versions },
    from: { version, state: known.value.state },
    to: { version, state },
  });
}

/** The only version of a model can be removed once it is unloaded; the model goes with it. */
export function removeVersion(model: RegisteredModel, version: string): Result<ModelStep> {
  const known = versionOf(model, version);
  if (!known.ok) return known;
  const from = { version, digest: known.value.digest };
  const need = whatNeeds(model, version);
  if (need?.by === "stable" && model.versions.length === 1) {
    if (known.value.state === "unloaded") return ok({ model: undefined, from, to: null });
    return fail("version_in_use", {
      detail: `'${model.name}@${version}' is the model's only version: unload it first, then the model can be removed.`,
    });
  }
  if (need !== undefined) return fail("version_in_use", { detail: need.detail });
  const { previousStable, ...rest } = model;
  const versions = model.versions.filter((other) => other.version !== version);
  const previous = previousStable === undefined || previousStable === version ? {} : { previousStable };
  return ok({ model: { ...rest, ...previous, versions }, from, to: null });
}

/** Errors: `version_not_found`. */
export function versionOf(model: RegisteredModel, version: string): Result<RegisteredVersion> {
  const found = model.versions.find((known) => known.version === version);
  if (found !== undefined) return ok(found);
  const there = model.versions.map((known) => known.version).slice(-20);
  return fail("version_not_found", { detail: `'${model.name}' has the versions ${there.join(", ")}, not ${version}.` });
}

/** A version that can be pointed to. Errors: `version_not_found`, `registry_conflict`. */
export function readyVersionOf(model: RegisteredModel, version: string): Result<RegisteredVersion> {
  const found = versionOf(model, version);
  if (!found.ok || found.value.state === "ready") return found;
  return fail("registry_conflict", { detail: `'${model.name}@${version}' is unloaded: load it first.` });
}

interface Need {
  readonly by: "rollout" | "alias" | "stable";
  /** What it is, and what to do first. */
  readonly detail: string;
}

function whatNeeds({ name, rollout, aliases, stable }: RegisteredModel, version: string): Need | undefined {
  const ref = `'${name}@${version}'`;
  if (rollout?.arms.some((arm) => arm.version === version) === true) {
    return { by: "rollout", detail: `${ref} is an arm of the running ${rollout.kind}: end the rollout first.` };
  }
  const alias = Object.entries(aliases).find(([, target]) => target === version)?.[0];
  if (alias !== undefined) {
    return { by: "alias", detail: `The alias '${alias}' points to ${ref}: point it elsewhere or remove it first.` };
  }
  if (stable !== version) return undefined;
  return { by: "stable", detail: `${ref} answers the bare name '${name}': make another version stable first.` };
}
