import { ok, type PredictAnswer, type PredictCall, type Result, type Tensors } from "@ledge/contract";
import {
  joinRaw,
  type OutputRow,
  type PreparedRow,
  planRuns,
  type RawCall,
  sharesRuns,
  splitRaw,
} from "@ledge/pipeline";
import type { BatchRule } from "@ledge/policy/batching";
import type { Engine, EngineModel, Urgency } from "../engines/engine.ts";
import type { GraphEngine } from "../engines/onnx/graph-engine.ts";
import { Batcher, type BatcherPorts, type Shared, type Submission } from "./batcher.ts";
import { patient } from "./patient.ts";
import { rawSubmission } from "./raw-submission.ts";
import { submitAll } from "./submit-all.ts";

/** What waits is rows that are ready for the graph, or raw tensors; one kind never shares a run with the other. */
type Item = { readonly rows: readonly PreparedRow[] } | { readonly raw: RawCall };
type Answer = { readonly rows: readonly OutputRow[] } | { readonly raw: Tensors };

/**
 * A graph whose calls share runs. What can be wrong with a call is found before it waits, so a run fails by a caller's fault only where
 * the graph itself minds the numbers.
 */
export class BatchedGraph implements Engine {
  readonly model: EngineModel;
  readonly batcher: Batcher<Item, Answer>;
  readonly predict?: NonNullable<Engine["predict"]>;
  readonly #engine: GraphEngine;
  /** Places of a row, where the graph fixes them: a row is filled up to that whoever its mates are. */
  readonly #places: number | undefined;

  constructor(engine: GraphEngine, rule: BatchRule, ports: Omit<BatcherPorts<Item, Answer>, "run">) {
    this.model = engine.model;
    this.#engine = engine;
    this.batcher = new Batcher(rule, { ...ports, run: (items, signal) => this.#run(items, signal) });
    const places = engine.manifest.inputs.map(({ shape }) => shape[1] ?? -1);
    this.#places = places.every((size) => size >= 0) ? Math.max(1, ...places) : undefined;
    if (engine.predict !== undefined) this.predict = (call, signal, urgency) => this.#predict(call, signal, urgency);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async infer(
    feeds: Tensors,
    outputs: readonly string[] | undefined,
    signal: AbortSignal,
    urgency: Urgency = patient,
  ): Promise<Result<Tensors>> {
    const wanted = this.#engine.check(feeds, outputs);
    if (!wanted.ok) return wanted;
    const call = rawSubmission(feeds, wanted.value, urgency, sharesRuns(this.#engine.manifest));
    const ran = await this.batcher.submit({ ...call, item: { raw: call.item } }, signal);
    if (!ran.ok) return ran;
    return ok("raw" in ran.value.answer ? ran.value.answer.raw : {});
  }

  async #predict(call: PredictCall, signal: AbortSignal, urgency: Urgency = patient): Promise<Result<PredictAnswer>> {
    const startedMs = performance.now();
    const rows = this.#engine.prepare(call.inputs, signal);
    if (!rows.ok) return rows;
    const prepareMs = performance.now() - startedMs;
    const parts = this.#parts(rows.value).map((part) => this.#submission(part, urgency));
    const ran = await submitAll(this.batcher, parts, signal);
    if (!ran.ok) return ran;
    const outputs = ran.value.flatMap(({ answer }) => ("rows" in answer ? answer.rows : []));
    return ok(this.#engine.answer(call, rows.value, outputs, { ...timingsOf(ran.value), prepareMs }));
  }

  /** A call of many rows waits in parts that fit a run each: nobody stands behind all of them at once. */
  #parts(rows: readonly PreparedRow[]): readonly (readonly PreparedRow[])[] {
    const { rowsMax, cellsMax } = this.batcher.rule;
    const lengths = rows.map((row) => this.#length(row));
    const plan = planRuns(lengths, { rowsMax, cellsMax }, !this.#engine.servable.pads);
    return plan.map(([from, to]) => rows.slice(from, to));
  }

  #submission(rows: readonly PreparedRow[], { priority, deadlineMs, begins }: Urgency): Submission<Item> {
    const length = rows.reduce((most, row) => Math.max(most, this.#length(row)), 1);
    return { item: { rows }, rows: rows.length, length, key: this.#key(rows), priority, deadlineMs, begins };
  }

  #length({ tensors }: PreparedRow): number {
    return this.#places ?? Object.values(tensors).reduce((most, { data }) => Math.max(most, data.length), 1);
  }

  #key([first]: readonly PreparedRow[]): string {
    if (this.#engine.servable.pads) return "rows";
    return `rows ${JSON.stringify(Object.entries(first?.tensors ?? {}).map(([name, { shape }]) => [name, ...shape]))}`;
  }

  async #run(items: readonly Item[], signal: AbortSignal): Promise<Result<readonly Answer[]>> {
    const raws = items.flatMap((item) => ("raw" in item ? item.raw : []));
    if (raws.length > 0) {
      const outputs = await this.#engine.runTensors(joinRaw(raws), raws[0]?.outputs ?? [], signal);
      const split = outputs.ok ? splitRaw(outputs.value, raws) : outputs;
      return split.ok ? ok(split.value.map((raw) => ({ raw }))) : split;
    }
    const parts = items.flatMap((item) => ("rows" in item ? [item.rows] : []));
    const outputs = await this.#engine.runRows(parts.flat(), signal);
    if (!outputs.ok) return outputs;
    let from = 0;
    return ok(
      parts.map(({ length }) => {
        from += length;
        return { rows: outputs.value.slice(from - length, from) };
      }),
    );
  }
}

/** Of a call whose parts were run by themselves. */
function timingsOf(parts: readonly Shared<Answer>[]) {
  const sum = (pick: (part: Shared<Answer>) => number) => parts.reduce((all, part) => all + pick(part), 0);
  return {
    queueMs: Math.max(...parts.map(({ queueMs }) => queueMs)),
    runMs: sum(({ runMs }) => runMs),
    batchRows: Math.max(...parts.map(({ batchRows }) => batchRows)),
    executions: sum(({ executions }) => executions),
  };
}
