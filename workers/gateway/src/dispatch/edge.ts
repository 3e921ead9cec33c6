import { fail, type InferenceService, type PredictAnswer, type PredictCall, type Result } from "@ledge/contract";
import type { Classifier, Journey, Readiness } from "./ports.ts";

/** The inference Worker over its service binding. It answers expected failures as values; a throw means it is broken. */
export function edgeTier(inference: InferenceService, nowMs: () => number): Classifier & Readiness {
  return {
    async predict(call: PredictCall, journey: Journey): Promise<Result<PredictAnswer>> {
      return within(journey.deadlineMs - nowMs(), async () => {
        try {
          return await inference.predict(call);
        } catch (cause) {
          return fail("upstream_failed", { cause: `inference Worker: ${String(cause)}` });
        }
      });
    },
    async ready(journey: Journey): Promise<boolean> {
      const warm = await within(journey.deadlineMs - nowMs(), async () => {
        try {
          return await inference.warm();
        } catch (cause) {
          return fail("upstream_failed", { cause: String(cause) });
        }
      });
      return warm.ok;
    },
  };
}

/** The work's result, or `deadline_exceeded` after `timeoutMs`. */
async function within<T>(timeoutMs: number, work: () => Promise<Result<T>>): Promise<Result<T>> {
  if (timeoutMs <= 0) return fail("deadline_exceeded");
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<Result<T>>((resolve) => {
    timer = setTimeout(() => resolve(fail("deadline_exceeded")), timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
