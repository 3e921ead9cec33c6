import { fail, type InferenceService, type LoadReport, type PackageRef, type Result } from "@ledge/contract";
import type { Classifier, Readiness } from "./ports.ts";
import { within } from "./within.ts";

/** What the operator's desk asks of the edge. */
interface Loading {
  load(model: PackageRef, deadlineMs: number): Promise<Result<LoadReport>>;
  unload(model: PackageRef, deadlineMs: number): Promise<Result<{ readonly unloaded: boolean }>>;
}

/** The inference Worker over its service binding. It answers expected failures as values; a throw means it is broken. */
export function edgeTier(inference: InferenceService, nowMs: () => number): Classifier & Readiness & Loading {
  async function ask<T>(deadlineMs: number, work: () => Promise<Result<T>>): Promise<Result<T>> {
    return within(deadlineMs - nowMs(), async () => {
      try {
        return await work();
      } catch (cause) {
        return fail("upstream_failed", { cause: `inference Worker: ${String(cause)}` });
      }
    });
  }
  return {
    predict: (call, { deadlineMs }) => ask(deadlineMs, () => inference.predict(call)),
    load: (model, deadlineMs) => ask(deadlineMs, () => inference.load(model)),
    unload: (model, deadlineMs) => ask(deadlineMs, () => inference.unload(model)),
    ready: async ({ deadlineMs }) => (await ask(deadlineMs, () => inference.warm())).ok,
  };
}
