import { fail, ok, type PackageManifest, type Result, type TensorSpec, type Tensors } from "@ledge/contract";
import {
  createServable,
  joinRaw,
  type OutputRow,
  type PreparedRow,
  type RawCall,
  type RunLimits,
  type Servable,
  sharesRuns,
  splitRaw,
} from "@ledge/pipeline";
import type { Served } from "./load/model-store.ts";
import { Batcher, type BatcherPorts } from "./run/batcher.ts";
import type { Session } from "./run/run-session.ts";

export interface ModelPorts extends Pick<BatcherPorts<unknown, unknown>, "hop" | "now" | "unixMs" | "turn"> {
  /** Rows in one batch of several calls, where the model takes as many. */
  readonly batchRowsMax: number;
  /** Is told the rows of every run of a graph. */
  readonly countRun: (rows: number) => void;
}

/**
 * What one run may hold, since memory grows to the largest run, and nothing else runs in the isolate until it ends. 8,192 hashed
 * features are 2 MiB at 64 floats each. A transformer takes some 40 KiB a token, and about 0.8 ms: 64 tokens are 4 short texts, whose
 * rows cost 3 % more than those of 32, in a twelfth of the time that others wait for.
 */
const valuesMax = 8192;
const tokensMax = 64;

function runLimits({ preprocess, inputs }: PackageManifest): RunLimits {
  const isTokens = inputs.some(({ datatype }) => datatype === "INT64" || datatype === "INT32");
  const isHashed = preprocess?.kind === "feature-hashing";
  return { rowsMax: 64, cellsMax: isTokens && !isHashed ? tokensMax : valuesMax };
}

/** A loaded model: its graph, the steps around it, and the calls that wait for it. */
export class Model implements Served {
  readonly manifest: PackageManifest;
  readonly servable: Servable;
  /** Calls of inputs for the package's own steps. */
  readonly rows: Batcher<readonly PreparedRow[], readonly OutputRow[]>;
  /** Calls of raw tensors. */
  readonly raw: Batcher<RawCall, Tensors>;
  /** Rows that calls may put into one batch. */
  readonly batchRowsMax: number;
  /** Batch sizes that were warmed; undefined before the warm-up. */
  warmed: readonly number[] | undefined;
  readonly #turn: ModelPorts["turn"];
  readonly #countRun: (rows: number) => void;
  /** The number of the turn of its last run. */
  #ranIn = 0;
  #session: Session | undefined;
  #executions: number[] = [];

  private constructor(manifest: PackageManifest, servable: Servable, ports: ModelPorts) {
    this.manifest = manifest;
    this.servable = servable;
    const fixed = manifest.inputs.map(({ shape }) => shape[0] ?? 1).filter((size) => size > 0);
    this.batchRowsMax = Math.min(ports.batchRowsMax, manifest.limits.batchMax ?? ports.batchRowsMax, ...fixed);
    this.#turn = ports.turn;
    this.#countRun = ports.countRun;
    const executions = () => this.#executions.splice(0);
    this.rows = new Batcher({ ...ports, executions, run: (calls) => this.#runRows(calls) });
    this.raw = new Batcher({ ...ports, executions, run: (calls) => this.#runRaw(calls) });
  }

  /** Fault: `model_not_ready`, whose cause says which step does not fit the package. */
  static of(
    manifest: PackageManifest,
    files: ReadonlyMap<string, Uint8Array>,
    session: Session,
    ports: ModelPorts,
  ): Result<Model> {
    let model: Model | undefined;
    const run = (feeds: Tensors) => model?.run(feeds) ?? Promise.resolve(fail("model_not_ready"));
    const servable = createServable({ manifest, files, run, limits: runLimits(manifest) });
    if (!servable.ok) return servable;
    model = new Model(manifest, servable.value, ports);
    model.#session = session;
    return ok(model);
  }

  get waitingRows(): number {
    return this.rows.waitingRows + this.raw.waitingRows;
  }

  get isIdle(): boolean {
    const { running } = this.#turn;
    return this.waitingRows === 0 && (running === 0 || running !== this.#ranIn);
  }

  /** True once its memory is gone. */
  get isClosed(): boolean {
    return this.#session === undefined;
  }

  async settle(): Promise<void> {
    await this.rows.settle();
    await this.raw.settle();
  }

  close(): void {
    this.#session = undefined;
  }

  /** One run of the graph, now. Only for who holds the turn. */
  async run(feeds: Tensors, outputs?: readonly string[]): Promise<Result<Tensors>> {
    if (this.#session === undefined) return fail("model_not_ready", { cause: "The model was unloaded meanwhile." });
    this.#ranIn = this.#turn.running;
    const given = await this.#session.run(feeds, outputs);
    const rows = rowsOf(this.manifest.inputs, feeds);
    this.#executions.push(rows);
    this.#countRun(rows);
    return given;
  }

  async #runRows(calls: readonly (readonly PreparedRow[])[]): Promise<Result<(readonly OutputRow[])[]>> {
    const outputs = await this.servable.run(calls.length === 1 ? (calls[0] ?? []) : calls.flat());
    if (!outputs.ok) return outputs;
    let from = 0;
    return ok(
      calls.map((rows) => {
        from += rows.length;
        return outputs.value.slice(from - rows.length, from);
      }),
    );
  }

  async #runRaw(calls: readonly RawCall[]): Promise<Result<Tensors[]>> {
    const outputs = await this.run(joinRaw(calls), calls[0]?.outputs);
    return outputs.ok ? splitRaw(outputs.value, calls) : outputs;
  }

  get sharesRuns(): boolean {
    return sharesRuns(this.manifest);
  }

  /**
   * With which rows of other calls these may share a run, and how many rows that holds. Texts of a transformer share one with texts
   * of about their length: everyone pays for the longest, and twice the length costs more than twice the time. Hashed features cost
   * next to nothing to pad.
   */
  sharing(rows: readonly PreparedRow[]): { readonly key: string; readonly batchRowsMax: number } {
    if (this.manifest.preprocess?.kind !== "tokenizer") return { key: "", batchRowsMax: this.batchRowsMax };
    const longest = rows.reduce((most, { tokens }) => Math.max(most, tokens), 16);
    const places = 2 ** Math.ceil(Math.log2(longest));
    const fitting = Math.max(1, Math.floor(runLimits(this.manifest).cellsMax / places));
    return { key: String(places), batchRowsMax: Math.min(this.batchRowsMax, fitting) };
  }

  /** Rows that raw calls of this shape may put into one batch. */
  rawRowsMax({ inputs, rows }: RawCall): number {
    const values = Math.max(1, ...Object.values(inputs).map(({ data }) => data.length / rows));
    return Math.max(1, Math.min(this.batchRowsMax, Math.floor(runLimits(this.manifest).cellsMax / values)));
  }
}

function rowsOf(specs: readonly TensorSpec[], feeds: Tensors): number {
  const batched = specs.find(({ shape }) => shape[0] === -1);
  return batched === undefined ? 1 : (feeds[batched.name]?.shape[0] ?? 1);
}
