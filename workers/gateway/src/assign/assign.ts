import { fail, ok, type Result, type Task } from "@ledge/contract";
import { type ModelRef, resolveModel } from "@ledge/policy";
import type { DeployedModel } from "../exchange.ts";

/** Which model version answers? Errors: `model_not_found`, `unsupported_task`. */
export function assign(models: readonly DeployedModel[], ref: ModelRef, task?: Task): Result<DeployedModel> {
  const model = resolveModel(models, ref);
  if (model === undefined) {
    const named = ref.version === undefined ? ref.name : `${ref.name}@${ref.version}`;
    const deployed = models.map(({ name, version }) => `${name}@${version}`).join(", ");
    return fail("model_not_found", { detail: `'${named}' is not deployed; these are: ${deployed}.` });
  }
  if (task !== undefined && model.manifest.task !== task) {
    return fail("unsupported_task", {
      detail: `'${model.name}' is a model for ${model.manifest.task}, not for ${task}.`,
    });
  }
  return ok(model);
}
