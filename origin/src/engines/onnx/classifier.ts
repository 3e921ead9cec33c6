import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fail, ok, type PredictAnswer, type PredictCall, type Result } from "@ledge/contract";
import { createServable, type PreparedRow, type Run, type Servable } from "@ledge/pipeline";
import * as ort from "onnxruntime-node";
import { faultOfCallOff } from "../../call-off.ts";
import type { Engine, EngineModel } from "../engine.ts";
import { type ModelPackage, StartError } from "../model-package.ts";
import { fromOrt, toOrt } from "./ort-tensors.ts";

/**
 * Loads a text classifier into native ONNX Runtime and runs it once. The steps around the graph are the package
 * `@ledge/pipeline`'s, the same as at the edge. Throws {@link StartError}, or what ONNX Runtime throws.
 */
export async function loadClassifier({ dir, manifest }: ModelPackage, threads: number): Promise<Engine> {
  const session = await ort.InferenceSession.create(join(dir, manifest.file.path), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const made = createServable({ manifest, files: await readFiles(dir), run: runOn(session) });
  if (!made.ok) throw new StartError(`${dir}: ${JSON.stringify(made.fault)}; take a package this version knows.`);
  const { name, version, task } = manifest;
  const engine = new ClassifierEngine({ name, version, task }, session, made.value);
  const call = { model: name, version, digest: "", inputs: ["warm up"], topK: 1, logits: false };
  const warm = await engine.predict(call, new AbortController().signal);
  if (!warm.ok)
    throw new StartError(`${dir} does not run: ${JSON.stringify(warm.fault)}; make it anew with its recipe.`);
  return engine;
}

async function readFiles(dir: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const path = join(dir, "labels.json");
  try {
    return new Map([["labels.json", await readFile(path)]]);
  } catch {
    throw new StartError(`${path} is missing: fetch it or make it with the package's recipe.`);
  }
}

class ClassifierEngine implements Engine {
  readonly model: EngineModel;
  readonly #session: ort.InferenceSession;
  readonly #servable: Servable;

  constructor(model: EngineModel, session: ort.InferenceSession, servable: Servable) {
    this.model = model;
    this.#session = session;
    this.#servable = servable;
  }

  async predict(call: PredictCall, signal: AbortSignal): Promise<Result<PredictAnswer>> {
    if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
    const startedMs = performance.now();
    const rows: PreparedRow[] = [];
    for (const input of call.inputs) {
      const row = this.#servable.prepare(input);
      if (!row.ok) return row;
      rows.push(row.value);
    }
    const outputs = await this.#servable.run(rows);
    if (!outputs.ok) return outputs;
    return ok({
      predictions: outputs.value.map((row) => this.#servable.shape(row, call)),
      inputTokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
      timings: {
        queueMs: 0,
        prepareMs: 0,
        runMs: performance.now() - startedMs,
        shapeMs: 0,
        batchRows: rows.length,
        executions: 1,
      },
    });
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** One run of the graph. ONNX Runtime for Node runs on the calling thread: one call at a time, others between them. */
function runOn(session: ort.InferenceSession): Run {
  return async (feeds) => {
    try {
      return ok(fromOrt(await session.run(toOrt(feeds))));
    } catch (error) {
      return fail("upstream_failed", { cause: String(error).slice(0, 500) });
    }
  };
}
