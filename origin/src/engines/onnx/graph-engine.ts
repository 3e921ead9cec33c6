import {
  type ModelManifest,
  ok,
  type PredictAnswer,
  type PredictCall,
  type Result,
  type Tensors,
} from "@ledge/contract";
import { checkTensors, type PreparedRow, type Run, type Servable } from "@ledge/pipeline";
import { faultOfCallOff } from "../../call-off.ts";
import type { Engine, EngineModel } from "../engine.ts";

export interface GraphParts {
  readonly run: Run;
  readonly servable: Servable;
  readonly close: () => Promise<void>;
}

/** A graph inside this process: tensors to tensors, and inputs to predictions where its package has steps. */
export class GraphEngine implements Engine {
  readonly model: EngineModel;
  readonly servable: Servable;
  readonly predict?: NonNullable<Engine["predict"]>;
  readonly close: () => Promise<void>;
  readonly #run: Run;
  readonly #manifest: ModelManifest;

  constructor(manifest: ModelManifest, digest: string, { run, servable, close }: GraphParts) {
    const { name, version, task } = manifest;
    this.model = { name, version, task, digest };
    this.servable = servable;
    this.close = close;
    this.#run = run;
    this.#manifest = manifest;
    if (servable.takes !== "tensors") this.predict = (call, signal) => predict(servable, call, signal);
  }

  async infer(feeds: Tensors, outputs: readonly string[] | undefined, signal: AbortSignal): Promise<Result<Tensors>> {
    const fits = checkTensors(this.#manifest, feeds, outputs);
    if (!fits.ok) return fits;
    if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
    const all = this.#manifest.outputs.map(({ name }) => name);
    return this.#run(feeds, outputs === undefined || outputs.length === 0 ? all : [...new Set(outputs)]);
  }
}

async function predict(servable: Servable, call: PredictCall, signal: AbortSignal): Promise<Result<PredictAnswer>> {
  const startedMs = performance.now();
  const rows: PreparedRow[] = [];
  for (const input of call.inputs) {
    if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
    const row = servable.prepare(input);
    if (!row.ok) return row;
    rows.push(row.value);
  }
  const preparedMs = performance.now();
  const outputs = await servable.run(rows);
  if (!outputs.ok) return outputs;
  const ranMs = performance.now();
  const predictions = outputs.value.map((row) => servable.shape(row, call));
  return ok({
    predictions,
    inputTokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
    timings: {
      queueMs: 0,
      prepareMs: preparedMs - startedMs,
      runMs: ranMs - preparedMs,
      shapeMs: performance.now() - ranMs,
      batchRows: rows.length,
      executions: 1,
    },
  });
}
