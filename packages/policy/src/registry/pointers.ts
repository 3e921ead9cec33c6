import { fail, ok, type RegisteredModel, type Result, type VersionPolicy } from "@ledge/contract";
import type { ModelStep } from "./step.ts";
import { readyVersionOf, versionOf } from "./versions.ts";

/** What names versions: aliases, the policy, stable. */

/** `version` null removes the alias. */
export function pointAlias(
  model: RegisteredModel,
  alias: string,
  version: string | null,
): Result<ModelStep | undefined> {
  const known = Object.hasOwn(model.aliases, alias) ? model.aliases[alias] : undefined;
  if (version === null) {
    if (known === undefined) return fail("alias_not_found", { detail: `'${model.name}' has no alias '${alias}'.` });
    const { [alias]: _gone, ...aliases } = model.aliases;
    return ok({ model: { ...model, aliases }, from: { alias, version: known }, to: null });
  }
  const target = readyVersionOf(model, version);
  if (!target.ok) return target;
  if (known === version) return ok(undefined);
  return ok({
    model: { ...model, aliases: { ...model.aliases, [alias]: version } },
    from: known === undefined ? null : { alias, version: known },
    to: { alias, version },
  });
}

export function setPolicy(model: RegisteredModel, policy: VersionPolicy): Result<ModelStep | undefined> {
  for (const number of "specific" in policy ? policy.specific.versions : []) {
    const named = versionOf(model, String(number));
    if (!named.ok) return named;
  }
  if (JSON.stringify(policy) === JSON.stringify(model.policy)) return ok(undefined);
  return ok({ model: { ...model, policy }, from: model.policy, to: policy });
}

/** Refused while a rollout runs: its first arm is the stable version, and would be no more. */
export function setStable(model: RegisteredModel, version: string): Result<ModelStep | undefined> {
  const target = readyVersionOf(model, version);
  if (!target.ok) return target;
  if (model.rollout !== undefined) {
    return fail("rollout_running", { detail: `The ${model.rollout.kind} '${model.rollout.id}' decides who answers.` });
  }
  if (model.stable === version) return ok(undefined);
  return ok({
    model: { ...model, stable: version, previousStable: model.stable },
    from: model.stable,
    to: version,
  });
}
