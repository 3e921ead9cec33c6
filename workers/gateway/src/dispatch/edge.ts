import { fail, type InferenceService, type Result } from "@ledge/contract";
import type { Classifier, Readiness } from "./ports.ts";
import { within } from "./within.ts";

/** The inference Worker over its service binding. It answers expected failures as values; a throw means it is broken. */
export function edgeTier(inference: InferenceService, nowMs: () => number): Classifier & Readiness {
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
    ready: async ({ deadlineMs }) => (await ask(deadlineMs, () => inference.warm())).ok,
  };
}
