import { fail, ok, type Result, type Task } from "@ledge/contract";
import { type ArmRef, type ModelRef, modelRefText, resolveVersion } from "@ledge/policy";
import type { DeployedModel } from "../exchange.ts";
import type { CatalogView } from "./view.ts";

export interface Assigned {
  readonly model: DeployedModel;
  /** Set when a rollout chose. */
  readonly arm?: ArmRef;
}

export interface Wish {
  /** Absent: any. */
  readonly task?: Task;
  /** Whose arm of a rollout the call belongs to. Absent for looks, which no rollout deals. */
  readonly stickyKey?: string;
}

/** Which model version answers? Errors: `model_not_found`, `model_not_ready`, `unsupported_task`. */
export function assign(view: CatalogView, ref: ModelRef, { task, stickyKey }: Wish = {}): Result<Assigned> {
  const known = view.models.get(ref.name);
  if (known === undefined) {
    const names = [...view.models.keys()].slice(0, 50).join(", ");
    return fail("model_not_found", { detail: `'${modelRefText(ref)}' is not deployed; these are: ${names}.` });
  }
  const chosen = resolveVersion(known.model, known.callable, ref, stickyKey);
  if (!chosen.ok) return chosen;
  const { version, arm } = chosen.value;
  const model = known.callable.get(version.version);
  if (model === undefined) throw new Error(`${modelRefText(ref)} resolved to a version that cannot be called`);
  if (task !== undefined && model.manifest.task !== task) {
    return fail("unsupported_task", {
      detail: `'${ref.name}' is a model for ${model.manifest.task}, not for ${task}.`,
    });
  }
  return ok({ model, ...(arm === undefined ? {} : { arm }) });
}
