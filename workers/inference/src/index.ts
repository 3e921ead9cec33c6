import { env, WorkerEntrypoint } from "cloudflare:workers";
import type {
  CountCall,
  InferAnswer,
  InferCall,
  InferenceReport,
  InferenceService,
  LoadReport,
  PackageRef,
  PredictAnswer,
  PredictCall,
  Result,
} from "@ledge/contract";
import { readConfig } from "./env.ts";
import { wire } from "./wire.ts";

/** Lives as long as the isolate: entrypoints come and go with each call. */
const service = wire(env, readConfig(env));
let isFresh = true;

/**
 * The models of the edge, on RPC for the gateway only. Every expected failure is a fault value; `cause` is for the log of
 * the caller. Only these methods are reachable: a TypeScript `private` method would be too, a `#private` one is not.
 */
export default class Inference extends WorkerEntrypoint<Env> implements InferenceService {
  /** `timings` are read from a clock that production holds still during a run: treat 0 as "not measured" there. */
  async predict(call: PredictCall): Promise<Result<PredictAnswer>> {
    return this.#first(service.ok ? await service.value.predict(call) : service);
  }

  async infer(call: InferCall): Promise<Result<InferAnswer>> {
    return this.#first(service.ok ? await service.value.infer(call) : service);
  }

  async count(call: CountCall): Promise<Result<number>> {
    return service.ok ? service.value.count(call) : service;
  }

  async load(model: PackageRef): Promise<Result<LoadReport>> {
    return service.ok ? service.value.load(model) : service;
  }

  async unload(model: PackageRef): Promise<Result<{ readonly unloaded: boolean }>> {
    return service.ok ? service.value.unload(model) : service;
  }

  async warm(): Promise<Result<InferenceReport>> {
    return service.ok ? service.value.warm() : service;
  }

  async report(): Promise<InferenceReport> {
    return service.ok ? service.value.report() : { models: [], wasmHeapBytes: 0, queued: 0, batches: {} };
  }

  /** Not public: whoever reaches this Worker over HTTP finds nothing. */
  override async fetch(): Promise<Response> {
    return new Response(null, { status: 404 });
  }

  /** After the isolate's first answer, so that it never waits for it, what is hot is loaded. */
  #first<T>(answer: T): T {
    if (isFresh && service.ok) this.ctx.waitUntil(service.value.preload());
    isFresh = false;
    return answer;
  }
}
