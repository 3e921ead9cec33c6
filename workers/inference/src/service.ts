import {
  type CountCall,
  fail,
  type InferAnswer,
  type InferCall,
  type InferenceReport,
  type LoadReport,
  ok,
  type PackageRef,
  type PredictAnswer,
  type PredictCall,
  type Result,
  type RunTimings,
} from "@ledge/contract";
import { checkRaw, type OutputRow, type PreparedRow, rawKey, textCounter } from "@ledge/pipeline";
import type { ModelStore } from "./load/model-store.ts";
import type { PromptCounters } from "./load/prompt-counters.ts";
import type { Model } from "./model.ts";
import type { BatchAnswer } from "./run/batcher.ts";
import { warmUp } from "./run/warm-up.ts";

export interface ServicePorts {
  readonly store: ModelStore<Model>;
  readonly counters: PromptCounters;
  /** Packages of the bundle, by their digest. */
  readonly bundled: () => Promise<readonly PackageRef[]>;
  /** Packages worth having at hand, hottest first. */
  readonly hot: () => Promise<readonly PackageRef[]>;
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  readonly waitingRowsMax: number;
  /** Runs so far by rows in the batch. */
  readonly batches: () => Readonly<Record<string, number>>;
  readonly now: () => number;
}

/** The isolate's one inference service. Faults as `InferenceService` says. */
export class Service {
  readonly #ports: ServicePorts;

  constructor(ports: ServicePorts) {
    this.#ports = ports;
  }

  predict(call: PredictCall): Promise<Result<PredictAnswer>> {
    return this.#withModel(call, async (model) => {
      const { servable } = model;
      const startedMs = this.#ports.now();
      const rows: PreparedRow[] = [];
      for (const input of call.inputs) {
        const row = servable.prepare(input);
        if (!row.ok) return row;
        rows.push(row.value);
      }
      const prepareMs = this.#ports.now() - startedMs;
      const answer = await this.#turns(model, rows, call);
      if (!answer.ok) return answer;
      const ranMs = this.#ports.now();
      const predictions = answer.value.answer.map((row) => servable.shape(row, call));
      const shapeMs = this.#ports.now() - ranMs;
      return ok({
        predictions,
        inputTokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
        timings: timingsOf(answer.value, prepareMs, shapeMs),
      });
    });
  }

  /**
   * Runs the rows of a call, a run of the graph at a time, each in a turn of its own: others wait for one run, not for a call of
   * hundreds of texts.
   */
  async #turns(
    model: Model,
    rows: readonly PreparedRow[],
    { deadlineMs, share }: PredictCall,
  ): Promise<Result<BatchAnswer<readonly OutputRow[]>>> {
    let all: BatchAnswer<readonly OutputRow[]> = { answer: [], queueMs: 0, runMs: 0, batchRows: 0, executions: 0 };
    for (const [from, to] of model.servable.plan(rows)) {
      const item = rows.slice(from, to);
      const { key, batchRowsMax } = model.sharing(item);
      const turn = { item, rows: item.length, key, deadlineMs, share };
      const ran = await model.rows.submit(turn, this.#rule(batchRowsMax));
      if (!ran.ok) return ran;
      all = together(all, ran.value);
    }
    return ok(all);
  }

  infer(call: InferCall): Promise<Result<InferAnswer>> {
    return this.#withModel(call, async (model) => {
      const raw = checkRaw(model.manifest, call);
      if (!raw.ok) return raw;
      const key = model.sharesRuns ? rawKey(raw.value) : undefined;
      const answer = await model.raw.submit(
        { item: raw.value, rows: raw.value.rows, key, deadlineMs: call.deadlineMs, share: call.share },
        this.#rule(model.rawRowsMax(raw.value)),
      );
      return answer.ok ? ok({ outputs: answer.value.answer, timings: timingsOf(answer.value, 0, 0) }) : answer;
    });
  }

  /** By the model's own steps where it is loaded, else by its tokenizer alone. */
  async count({ prompt, ...ref }: CountCall): Promise<Result<number>> {
    const loaded = this.#ports.store.ready(ref);
    if (loaded?.ok === true) return textCounter(loaded.value.servable.prepare)(prompt);
    const count = await this.#ports.counters.get(ref);
    return count.ok ? count.value(prompt) : count;
  }

  async load(ref: PackageRef): Promise<Result<LoadReport>> {
    const startedMs = this.#ports.now();
    this.#ports.store.allow(ref.digest);
    const wasLoaded = this.#ports.store.loaded.some(({ ref: { digest } }) => digest === ref.digest);
    const model = await this.#ports.store.get(ref);
    if (!model.ok) return model;
    const warmed = await this.#ports.alone(() => warmUp(model.value));
    this.#ports.store.tidy();
    if (!warmed.ok) return fail("model_not_ready", { cause: `A warm-up run failed: ${warmed.fault.cause ?? ""}` });
    return ok({
      loadMs: wasLoaded ? 0 : this.#ports.now() - startedMs,
      warmed: warmed.value,
      wasmHeapBytes: this.#ports.store.heapBytes,
    });
  }

  async unload({ digest }: PackageRef): Promise<Result<{ readonly unloaded: boolean }>> {
    return ok({ unloaded: await this.#ports.store.unload(digest) });
  }

  /** Loads every bundled package that fits beside those in use, then what is hot. The first fault of a bundled one stops it. */
  async warm(): Promise<Result<InferenceReport>> {
    const { store, alone } = this.#ports;
    for (const ref of await this.#ports.bundled()) {
      if (store.isUnloaded(ref.digest)) continue;
      const model = await store.get(ref, false);
      if (!model.ok && model.fault.code === "overloaded") continue;
      const warmed = model.ok ? await alone(() => warmUp(model.value)) : model;
      if (!warmed.ok) return warmed;
    }
    await this.preload();
    return ok(await this.report());
  }

  /** Loads what is hot and fits beside what is loaded. Whatever fails, fails in silence: nobody asked for it. */
  async preload(): Promise<void> {
    for (const ref of await this.#ports.hot()) {
      const model = await this.#ports.store.get(ref, false);
      if (model.ok) await this.#ports.alone(() => warmUp(model.value));
    }
  }

  async report(): Promise<InferenceReport> {
    const { store } = this.#ports;
    const { loaded } = store;
    const bundled = await this.#ports.bundled();
    const others = loaded.filter(({ ref }) => !bundled.some(({ digest }) => digest === ref.digest));
    const all = [...bundled, ...others.map(({ ref }) => ref)];
    return {
      models: all.map(({ model, version, digest }) => ({
        name: model,
        version,
        digest,
        loaded: loaded.some(({ ref }) => ref.digest === digest),
      })),
      wasmHeapBytes: store.heapBytes,
      queued: loaded.reduce((sum, { model }) => sum + model.waitingRows, 0),
      batches: this.#ports.batches(),
      ...(loaded.length === 0 ? {} : { loadMs: loaded.reduce((sum, { loadMs }) => sum + loadMs, 0) }),
    };
  }

  /** Once more when the model was put away between being found and being run: it is loaded again, or refused. */
  async #withModel<T>(ref: PackageRef, work: (model: Model) => Promise<Result<T>>): Promise<Result<T>> {
    for (let isLast = false; ; isLast = true) {
      const model = this.#ports.store.ready(ref) ?? (await this.#ports.store.get(ref));
      if (!model.ok) return model;
      const answer = await work(model.value);
      this.#ports.store.tidy();
      if (answer.ok || !model.value.isClosed || answer.fault.code !== "model_not_ready" || isLast) return answer;
    }
  }

  #rule(batchRowsMax: number) {
    return { waitingRowsMax: this.#ports.waitingRowsMax, batchRowsMax };
  }
}

/** What two turns of one call gave. */
function together(
  first: BatchAnswer<readonly OutputRow[]>,
  second: BatchAnswer<readonly OutputRow[]>,
): BatchAnswer<readonly OutputRow[]> {
  return {
    answer: first.answer.length === 0 ? second.answer : [...first.answer, ...second.answer],
    queueMs: first.queueMs + second.queueMs,
    runMs: first.runMs + second.runMs,
    batchRows: Math.max(first.batchRows, second.batchRows),
    executions: first.executions + second.executions,
  };
}

function timingsOf(answer: BatchAnswer<unknown>, prepareMs: number, shapeMs: number): RunTimings {
  const { queueMs, runMs, batchRows, executions } = answer;
  return { queueMs, prepareMs, runMs, shapeMs, batchRows, executions };
}
