import { fail, ok, type Result, type Task } from "@ledge/contract";
import type { DeployedModel } from "./exchange.ts";

/** Whether the model does one of these. Errors: `unsupported_task`. */
export function doesTask<T extends Task>({ name, manifest }: DeployedModel, ...tasks: readonly T[]): Result<T> {
  const task = tasks.find((one) => one === manifest.task);
  if (task !== undefined) return ok(task);
  return fail("unsupported_task", {
    detail: `'${name}' is a model for ${manifest.task}, not for ${tasks.join(", ")}.`,
  });
}

/** What a model with steps of its own does. Errors: `unsupported_task`. */
export function stepsTask(model: DeployedModel) {
  return doesTask(model, "text-classification", "image-classification", "audio-classification", "embedding");
}
