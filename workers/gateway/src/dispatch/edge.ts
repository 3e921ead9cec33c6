import {
  type CountCall,
  fail,
  type InferenceService,
  type LoadReport,
  type PackageRef,
  type Result,
} from "@ledge/contract";
import { within } from "../in-time.ts";
import type { Classifier, Readiness, TensorEngine } from "./ports.ts";

/** What the operator's desk asks of the edge. */
interface Loading {
  load(model: PackageRef, deadlineMs: number): Promise<Result<LoadReport>>;
  unload(model: PackageRef, deadlineMs: number): Promise<Result<{ readonly unloaded: boolean }>>;
}

/** What is asked before a call is admitted. */
interface Counting {
  count(call: CountCall, deadlineMs: number): Promise<Result<number>>;
}

/** The inference Worker over its service binding. It answers expected failures as values; a throw means it is broken. */
export function edgeTier(
  inference: InferenceService,
  nowMs: () => number,
): Classifier & TensorEngine & Readiness & Loading & Counting {
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
    // It leaves the queue there at its deadline, and costs no run that nobody waits for.
    predict: async (call, { deadlineMs, share }) =>
      behind(await ask(deadlineMs, () => inference.predict({ ...call, deadlineMs, ...(share && { share }) }))),
    infer: async (call, { deadlineMs, share }) =>
      blamed(behind(await ask(deadlineMs, () => inference.infer({ ...call, deadlineMs, ...(share && { share }) })))),
    count: (call, deadlineMs) => ask(deadlineMs, () => inference.count(call)),
    load: (model, deadlineMs) => ask(deadlineMs, () => inference.load(model)),
    unload: (model, deadlineMs) => ask(deadlineMs, () => inference.unload(model)),
    ready: async ({ deadlineMs }) => (await ask(deadlineMs, () => inference.warm())).ok,
  };
}

/** The registry has the model, so an edge that does not find it lacks its files: another tier may have them. */
function behind<T>(answer: Result<T>): Result<T> {
  if (answer.ok || answer.fault.code !== "model_not_found") return answer;
  return fail("model_not_ready", { cause: answer.fault.cause ?? "The edge finds no such package." });
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
