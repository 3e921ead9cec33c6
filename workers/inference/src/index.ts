import { WorkerEntrypoint } from "cloudflare:workers";
import type { InferenceReport, InferenceService, PredictAnswer, PredictCall, Result } from "@ledge/contract";
import { readQueueRule } from "./env.ts";
import { bundledModels } from "./load/bundled-models.ts";
import { checkDigest } from "./load/check-digest.ts";
import { createSession, wasmHeapBytes } from "./load/create-session.ts";
import { createEdgeModel } from "./load/edge-model.ts";
import { hop } from "./run/hop.ts";
import { runSession } from "./run/run-session.ts";
import { Service } from "./service.ts";

/** In production this clock only moves when a request does I/O, so a run within one turn reads 0 ms. Locally it moves. */
const now = () => performance.now();

/** Lives as long as the isolate: entrypoints come and go with each call. */
const service = new Service({
  models: bundledModels.map((bundled) => createEdgeModel(bundled, { checkDigest, createSession, runSession, now })),
  wasmHeapBytes,
  hop,
  now,
});

/**
 * Ledge's small models, on RPC for the gateway only. Every expected failure is a fault value; `cause` is for the log of
 * the caller. Only these methods are reachable: a TypeScript `private` method would be too, a `#private` one is not.
 */
export default class Inference
  extends WorkerEntrypoint<Env>
  implements Pick<InferenceService, "predict" | "warm" | "report">
{
  /** `timings` are read from a clock that production holds still during a run: treat 0 as "not measured" there. */
  async predict(call: PredictCall): Promise<Result<PredictAnswer>> {
    const rule = readQueueRule(this.env);
    return rule.ok ? service.predict(call, rule.value) : rule;
  }

  async warm(): Promise<Result<InferenceReport>> {
    const rule = readQueueRule(this.env);
    return rule.ok ? service.warm(rule.value) : rule;
  }

  async report(): Promise<InferenceReport> {
    return service.report();
  }

  /** Not public: whoever reaches this Worker over HTTP finds nothing. */
  override async fetch(): Promise<Response> {
    return new Response(null, { status: 404 });
  }
}
