import {
  ok,
  type PackageManifest,
  type PredictAnswer,
  type PredictCall,
  type Result,
  type Tensors,
} from "@ledge/contract";
import { checkTensors, type PreparedRow, type Servable } from "@ledge/pipeline";
import { faultOfCallOff } from "../../call-off.ts";
import type { Engine, EngineModel } from "../engine.ts";
import type { Lease } from "./session-pool.ts";

export interface GraphParts {
  readonly lease: Lease;
  readonly servable: Servable;
}

/**
 * A graph inside this process: tensors to tensors, and inputs to predictions where its package has steps. Steps run here, the graph
 * in its session's thread, one call after the other; a call that is called off while it waits is never run.
 */
export class GraphEngine implements Engine {
  readonly model: EngineModel;
  readonly servable: Servable;
  readonly predict?: NonNullable<Engine["predict"]>;
  readonly #lease: Lease;
  readonly #manifest: PackageManifest;

  constructor(manifest: PackageManifest, digest: string, { lease, servable }: GraphParts) {
    const { name, version, task } = manifest;
    this.model = { name, version, task, digest };
    this.servable = servable;
    this.#lease = lease;
    this.#manifest = manifest;
    if (servable.takes !== "tensors") this.predict = (call, signal) => this.#predict(call, signal);
  }

  async close(): Promise<void> {
    await this.#lease.giveBack();
  }

  async infer(feeds: Tensors, outputs: readonly string[] | undefined, signal: AbortSignal): Promise<Result<Tensors>> {
    const fits = checkTensors(this.#manifest, feeds, outputs);
    if (!fits.ok) return fits;
    const all = this.#manifest.outputs.map(({ name }) => name);
    const wanted = outputs === undefined || outputs.length === 0 ? all : [...new Set(outputs)];
    const { session } = this.#lease;
    return this.#inTurn(signal, () => session.run(feeds, wanted));
  }

  async #predict(call: PredictCall, signal: AbortSignal): Promise<Result<PredictAnswer>> {
    const { servable } = this;
    const startedMs = performance.now();
    const rows: PreparedRow[] = [];
    for (const input of call.inputs) {
      if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
      const row = servable.prepare(input);
      if (!row.ok) return row;
      rows.push(row.value);
    }
    const preparedMs = performance.now();
    const outputs = await this.#inTurn(signal, () => servable.run(rows));
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

  async #inTurn<T>(signal: AbortSignal, work: () => Promise<Result<T>>): Promise<Result<T>> {
    const turn = await this.#lease.session.turns.enter(signal);
    if (!turn.ok) return turn;
    try {
      return await work();
    } finally {
      turn.value.leave();
    }
  }
}
