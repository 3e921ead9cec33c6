import { fail, ok, type RegisteredModel, type RegisteredVersion, type Result, type Rollout } from "@ledge/contract";
import { type ModelRef, modelRefText } from "../model-ref.ts";
import { chooseArm } from "../rollout/split.ts";

/** Numbers of versions: a set, or a map with anything under them. */
type Callable = Pick<ReadonlySet<string>, "has" | "keys">;

/** An arm of a running rollout that a call was dealt to. */
export interface ArmRef {
  readonly rollout: Rollout;
  readonly version: string;
}

export interface ChosenVersion {
  readonly version: RegisteredVersion;
  /** Set when a rollout chose. */
  readonly arm?: ArmRef;
}

/**
 * The versions that can be called, by number: what the policy names of the ready ones, and, whatever the policy says, the
 * stable version, the aliases' and a rollout's arms, as somebody decided that they are called.
 */
export function callableVersions(model: RegisteredModel): ReadonlySet<string> {
  const ready = model.versions.filter(({ state }) => state === "ready").map(({ version }) => version);
  const always = [
    model.stable,
    ...Object.values(model.aliases),
    ...(model.rollout?.arms ?? []).map(({ version }) => version),
  ];
  const wanted = new Set([...byPolicy(model, ready), ...always]);
  return new Set(ready.filter((version) => wanted.has(version)));
}

function byPolicy({ policy }: RegisteredModel, ready: readonly string[]): readonly string[] {
  if ("specific" in policy) return policy.specific.versions.map(String);
  if ("all" in policy) return ready;
  return newestFirst(ready).slice(0, policy.latest.num_versions);
}

function newestFirst(versions: readonly string[]): readonly string[] {
  return [...versions].sort((a, b) => Number(b) - Number(a));
}

/**
 * Which version a reference means. The bare name is the running rollout's to deal, by `stickyKey`, and else the stable
 * version; without `stickyKey` (a look, no call) it is always the stable one. `callable` is {@link callableVersions}' of
 * the model. Errors: `model_not_found`, `model_not_ready` for a version that is unloaded.
 */
export function resolveVersion(
  model: RegisteredModel,
  callable: Callable,
  ref: ModelRef,
  stickyKey?: string,
): Result<ChosenVersion> {
  const { rollout } = model;
  if (ref.version === undefined && ref.alias === undefined && rollout !== undefined && stickyKey !== undefined) {
    const version = chooseArm(rollout, stickyKey);
    return found(model, callable, ref, version, { rollout, version });
  }
  return found(model, callable, ref, versionMeant(model, callable, ref));
}

function versionMeant(model: RegisteredModel, callable: Callable, ref: ModelRef): string | undefined {
  if (ref.version !== undefined) return ref.version;
  if (ref.alias === undefined || ref.alias === "stable") return model.stable;
  if (ref.alias === "latest") return newestFirst([...callable.keys()])[0] ?? model.stable;
  return Object.hasOwn(model.aliases, ref.alias) ? model.aliases[ref.alias] : undefined;
}

function found(
  model: RegisteredModel,
  callable: Callable,
  ref: ModelRef,
  number: string | undefined,
  arm?: ArmRef,
): Result<ChosenVersion> {
  const version = model.versions.find((known) => known.version === number);
  const named = `'${modelRefText(ref)}'`;
  if (version === undefined) {
    const there = newestFirst([...callable.keys()])
      .slice(0, 20)
      .join(", ");
    return fail("model_not_found", {
      detail: `${named} is not deployed; these versions of '${model.name}' are: ${there === "" ? "none" : there}.`,
    });
  }
  if (version.state === "unloaded") return fail("model_not_ready", { detail: `${named} is unloaded.` });
  if (!callable.has(version.version)) {
    return fail("model_not_found", { detail: `${named} is not among the versions that the model's policy serves.` });
  }
  return ok({ version, ...(arm === undefined ? {} : { arm }) });
}
