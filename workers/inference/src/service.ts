import { fail, type InferenceReport, ok, type PredictAnswer, type PredictCall, type Result } from "@ledge/contract";
import type { PreparedRow } from "@ledge/pipeline";
import type { EdgeModel } from "./load/edge-model.ts";
import { Batcher, type BatcherPorts } from "./run/batcher.ts";
import type { QueueRule } from "./run/queue.ts";

export interface ServicePorts extends Pick<BatcherPorts, "hop" | "now"> {
  readonly models: readonly Result<EdgeModel>[];
  readonly wasmHeapBytes: () => number;
}

interface Served {
  readonly model: EdgeModel;
  readonly batcher: Batcher;
}

/** The isolate's one inference service: models, their queues, and the turn they share. */
export class Service {
  readonly #ports: ServicePorts;
  readonly #served: readonly Result<Served>[];

  constructor(ports: ServicePorts) {
    this.#ports = ports;
    const turn = { running: 0, begun: 0 };
    this.#served = ports.models.map((model) => {
      if (!model.ok) return model;
      const { hop, now } = ports;
      return ok({ model: model.value, batcher: new Batcher({ run: model.value.servable.run, hop, now, turn }) });
    });
  }

  /** Faults: `model_not_found`, `model_not_ready`, `overloaded`, `upstream_failed`. */
  async predict(call: PredictCall, rule: QueueRule): Promise<Result<PredictAnswer>> {
    const served = this.#find(call.model, call.version);
    if (!served.ok) return served;
    const { servable } = served.value.model;
    const rows: PreparedRow[] = [];
    for (const input of call.inputs) {
      const row = servable.prepare(input);
      if (!row.ok) return row;
      rows.push(row.value);
    }
    const answer = await served.value.batcher.submit(rows, rule);
    if (!answer.ok) return answer;
    const { outputs, queueMs, runMs } = answer.value;
    return ok({
      predictions: outputs.map((row) => servable.shape(row, call)),
      inputTokens: rows.reduce((sum, row) => sum + row.tokens, 0),
      timings: { queueMs, prepareMs: 0, runMs, shapeMs: 0, batchRows: rows.length, executions: 1 },
    });
  }

  /** Runs every model once, queue bound or not. The first fault found stops it. */
  async warm(rule: QueueRule): Promise<Result<InferenceReport>> {
    for (const served of this.#served) {
      if (!served.ok) return served;
      const { model, batcher } = served.value;
      const row = model.servable.prepare("warm");
      if (!row.ok) return row;
      const answer = await batcher.submit([row.value], { ...rule, waitingRowsMax: Number.POSITIVE_INFINITY });
      if (!answer.ok) return answer;
    }
    return ok(this.report());
  }

  report(): InferenceReport {
    const served = this.#served.flatMap((one) => (one.ok ? [one.value] : []));
    const loads = served.flatMap(({ model }) => model.loadMs() ?? []);
    return {
      models: served.map(({ model }) => ({
        name: model.manifest.name,
        version: model.manifest.version,
        digest: model.manifest.file.sha256,
        loaded: model.isLoaded(),
      })),
      wasmHeapBytes: this.#ports.wasmHeapBytes(),
      batches: {},
      queued: served.reduce((sum, { batcher }) => sum + batcher.waitingRows, 0),
      ...(loads.length === 0 ? {} : { loadMs: loads.reduce((sum, ms) => sum + ms, 0) }),
    };
  }

  #find(name: string, version: string): Result<Served> {
    for (const served of this.#served) {
      if (!served.ok) continue;
      const { manifest } = served.value.model;
      if (manifest.name === name && manifest.version === version) return served;
    }
    // A package that cannot be read has no name to match: it may be the one asked for.
    return this.#served.find((served) => !served.ok) ?? fail("model_not_found");
  }
}
