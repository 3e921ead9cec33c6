import { fail, ok, type RegisteredModel, type RegistryChange, type RegistryState, type Result } from "@ledge/contract";
import { pointAlias, setPolicy, setStable } from "./pointers.ts";
import { advanceRollout, endRollout, startRollout } from "./rollout-changes.ts";
import { register, removeVersion, setVersionState } from "./versions.ts";

/** What an audit row says of a change beside its number, its time and who made it. */
export interface AuditEntry {
  readonly kind: RegistryChange["kind"];
  readonly model?: string;
  /** What the changed part was before and is after; `null` where there was or is nothing. */
  readonly from: unknown;
  readonly to: unknown;
  readonly reason?: string;
}

export interface RegistryStep {
  readonly state: RegistryState;
  /** Absent when the change asks for what is so already: nothing changed then, the number neither. */
  readonly audit?: AuditEntry;
}

/** A model after a change, or `undefined` when it is gone; the audit's part of it. */
export interface ModelStep {
  readonly model: RegisteredModel | undefined;
  readonly from: unknown;
  readonly to: unknown;
  readonly reason?: string;
}

/**
 * One change of the registry, done as a whole or refused as a whole. What holds after every change:
 * `stable`, the aliases and the arms of a rollout name versions that are there; aliases' and arms' versions are ready, and
 * so is stable unless it was unloaded as the last ready version; numbers are never used twice.
 * Errors: `model_not_found`, `version_not_found`, `alias_not_found`, `rollout_not_found`, `rollout_running`,
 * `version_in_use`, `registry_conflict`; each detail says what to do first.
 */
export function registryStep(state: RegistryState, change: RegistryChange, nowMs: number): Result<RegistryStep> {
  if (change.kind === "set-hot") return ok(setHot(state, change.digests));
  const name = change.kind === "register" ? change.manifest.name : change.model;
  const model = modelNamed(state, name);
  const step = change.kind === "register" ? register(state, model, change, nowMs) : stepOf(model, change, nowMs);
  if (!step.ok) return step;
  if (step.value === undefined) return ok({ state });
  const { model: after, ...said } = step.value;
  return ok({ state: withModel(state, name, after), audit: { kind: change.kind, model: name, ...said } });
}

/** `undefined` for names that are no model's, those of `Object`'s own members included. */
export function modelNamed(state: RegistryState, name: string): RegisteredModel | undefined {
  return Object.hasOwn(state.models, name) ? state.models[name] : undefined;
}

type ModelChange = Exclude<RegistryChange, { kind: "register" | "set-hot" }>;

function stepOf(model: RegisteredModel | undefined, change: ModelChange, nowMs: number): Result<ModelStep | undefined> {
  if (model === undefined) return fail("model_not_found", { detail: `There is no model '${change.model}'.` });
  switch (change.kind) {
    case "set-state":
      return setVersionState(model, change.version, change.state);
    case "remove":
      return removeVersion(model, change.version);
    case "set-alias":
      return pointAlias(model, change.alias, change.version);
    case "set-policy":
      return setPolicy(model, change.policy);
    case "set-stable":
      return setStable(model, change.version);
    case "start-rollout":
      return startRollout(model, change.rollout);
    case "advance-rollout":
      return advanceRollout(model, change, nowMs);
    case "end-rollout":
      return endRollout(model, change);
  }
}

function withModel(state: RegistryState, name: string, after: RegisteredModel | undefined): RegistryState {
  const number = state.number + 1;
  if (after !== undefined) return { ...state, number, models: { ...state.models, [name]: after } };
  const { [name]: gone, ...models } = state.models;
  return { ...state, number, models, retired: { ...state.retired, [name]: gone?.highestVersion ?? 0 } };
}

function setHot(state: RegistryState, digests: readonly string[]): RegistryStep {
  if (digests.join() === state.hot.join()) return { state };
  return {
    state: { ...state, number: state.number + 1, hot: [...digests] },
    audit: { kind: "set-hot", from: state.hot, to: digests },
  };
}
