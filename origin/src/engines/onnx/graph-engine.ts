import {
  ok,
  type PackageManifest,
  type PredictAnswer,
  type PredictCall,
  type Result,
  type RunTimings,
  type Tensors,
} from "@ledge/contract";
import { checkTensors, type OutputRow, type PreparedRow, type Servable } from "@ledge/pipeline";
import { faultOfCallOff } from "../../call-off.ts";
import type { Engine, EngineModel } from "../engine.ts";
import type { Lease } from "./session-pool.ts";

export interface GraphParts {
  readonly lease: Lease;
  readonly servable: Servable;
}

/**
 * A graph inside this process: tensors to tensors, and inputs to predictions where its package has steps. Steps run here, the graph
 * in its session's thread, one run after the other; a call that is called off while it waits is never run.
 */
export class GraphEngine implements Engine {
  readonly model: EngineModel;
  readonly manifest: PackageManifest;
  readonly servable: Servable;
  readonly predict?: NonNullable<Engine["predict"]>;
  readonly #lease: Lease;

  constructor(manifest: PackageManifest, digest: string, { lease, servable }: GraphParts) {
    const { name, version, task } = manifest;
    this.model = { name, version, task, digest };
    this.manifest = manifest;
    this.servable = servable;
    this.#lease = lease;
    if (servable.takes !== "tensors") this.predict = (call, signal) => this.#predict(call, signal);
  }

  async close(): Promise<void> {
    await this.#lease.giveBack();
  }

  async infer(feeds: Tensors, outputs: readonly string[] | undefined, signal: AbortSignal): Promise<Result<Tensors>> {
    const wanted = this.check(feeds, outputs);
    return wanted.ok ? this.runTensors(feeds, wanted.value, signal) : wanted;
  }

  /** Which outputs are meant, each once. Fault: `invalid_shape` when tensors or outputs do not fit the graph. */
  check(feeds: Tensors, outputs: readonly string[] | undefined): Result<readonly string[]> {
    const fits = checkTensors(this.manifest, feeds, outputs);
    if (!fits.ok) return fits;
    const all = this.manifest.outputs.map(({ name }) => name);
    return ok(outputs === undefined || outputs.length === 0 ? all : [...new Set(outputs)]);
  }

  /** Faults: `invalid_shape` when an input is none that the model takes; the reason of the signal. */
  prepare(inputs: PredictCall["inputs"], signal: AbortSignal): Result<readonly PreparedRow[]> {
    const rows: PreparedRow[] = [];
    for (const input of inputs) {
      if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
      const row = this.servable.prepare(input);
      if (!row.ok) return row;
      rows.push(row.value);
    }
    return ok(rows);
  }

  runTensors(feeds: Tensors, wanted: readonly string[], signal: AbortSignal): Promise<Result<Tensors>> {
    return this.#inTurn(signal, () => this.#lease.session.run(feeds, wanted));
  }

  runRows(rows: readonly PreparedRow[], signal: AbortSignal): Promise<Result<OutputRow[]>> {
    return this.#inTurn(signal, () => this.servable.run(rows));
  }

  async #predict(call: PredictCall, signal: AbortSignal): Promise<Result<PredictAnswer>> {
    const startedMs = performance.now();
    const rows = this.prepare(call.inputs, signal);
    if (!rows.ok) return rows;
    const preparedMs = performance.now();
    const outputs = await this.runRows(rows.value, signal);
    if (!outputs.ok) return outputs;
    const runMs = performance.now() - preparedMs;
    const ran = { queueMs: 0, prepareMs: preparedMs - startedMs, runMs, batchRows: rows.value.length, executions: 1 };
    return ok(this.answer(call, rows.value, outputs.value, ran));
  }

  /** What a caller is told of its rows. */
  answer(
    call: PredictCall,
    rows: readonly PreparedRow[],
    outputs: readonly OutputRow[],
    timings: Omit<RunTimings, "shapeMs">,
  ): PredictAnswer {
    const ranMs = performance.now();
    const predictions = outputs.map((row) => this.servable.shape(row, call));
    return {
      predictions,
      inputTokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
      timings: { ...timings, shapeMs: performance.now() - ranMs },
    };
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
