import { fail, type InferenceService, type LoadReport, type PackageRef, type Result } from "@ledge/contract";
import type { Classifier, Readiness, TensorEngine } from "./ports.ts";
import { within } from "./within.ts";

/** What the operator's desk asks of the edge. */
interface Loading {
  load(model: PackageRef, deadlineMs: number): Promise<Result<LoadReport>>;
  unload(model: PackageRef, deadlineMs: number): Promise<Result<{ readonly unloaded: boolean }>>;
}

/** The inference Worker over its service binding. It answers expected failures as values; a throw means it is broken. */
export function edgeTier(
  inference: InferenceService,
  nowMs: () => number,
): Classifier & TensorEngine & Readiness & Loading {
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
    infer: async (call, { deadlineMs }) => blamed(await ask(deadlineMs, () => inference.infer(call))),
    load: (model, deadlineMs) => ask(deadlineMs, () => inference.load(model)),
    unload: (model, deadlineMs) => ask(deadlineMs, () => inference.unload(model)),
    ready: async ({ deadlineMs }) => (await ask(deadlineMs, () => inference.warm())).ok,
  };
}

/**
 * ONNX Runtime's INVALID_ARGUMENT, code 2, says of a raw call that the graph cannot run on its values: an index beyond a
 * table, say. That is the caller's fault, and no other tier would do better. What the runtime says holds values: it is dropped.
 */
function blamed<T>(answer: Result<T>): Result<T> {
  if (answer.ok || answer.fault.code !== "upstream_failed" || !/ERROR_CODE: 2\b/.test(answer.fault.cause ?? ""))
    return answer;
  return fail("invalid_shape", { detail: "The graph cannot run on these values: one may be out of its range." });
}
