import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  fail,
  ok,
  type PredictAnswer,
  type PredictCall,
  type Result,
  type Tensor,
  type Tensors,
} from "@ledge/contract";
import { type Classifier, createClassifier, type Run } from "@ledge/pipeline";
import * as ort from "onnxruntime-node";
import { faultOfCallOff } from "../../call-off.ts";
import type { Engine, EngineModel } from "../engine.ts";
import { type ModelPackage, StartError } from "../model-package.ts";

/**
 * Loads a text classifier into native ONNX Runtime and runs it once. The steps around the graph are the package
 * `@ledge/pipeline`'s, the same as at the edge. Throws {@link StartError}, or what ONNX Runtime throws.
 */
export async function loadClassifier({ dir, manifest }: ModelPackage, threads: number): Promise<Engine> {
  const labels = await readLabels(dir);
  const session = await ort.InferenceSession.create(join(dir, manifest.file.path), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const made = createClassifier({ manifest, labels, run: runOn(session) });
  if (!made.ok) throw new StartError(`${dir}: ${JSON.stringify(made.fault)}; take a package this version knows.`);
  const engine = new ClassifierEngine(
    { name: manifest.name, version: manifest.version, task: manifest.task },
    session,
    made.value,
  );
  const warm = await made.value.predict(["warm up"], { topK: 1, logits: false });
  if (!warm.ok)
    throw new StartError(`${dir} does not run: ${JSON.stringify(warm.fault)}; make it anew with its recipe.`);
  return engine;
}

async function readLabels(dir: string): Promise<unknown> {
  const path = join(dir, "labels.json");
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    throw new StartError(`${path} is missing or no JSON: fetch it or make it with the package's recipe.`);
  }
}

class ClassifierEngine implements Engine {
  readonly model: EngineModel;
  readonly #session: ort.InferenceSession;
  readonly #classifier: Classifier;

  constructor(model: EngineModel, session: ort.InferenceSession, classifier: Classifier) {
    this.model = model;
    this.#session = session;
    this.#classifier = classifier;
  }

  async predict(call: PredictCall, signal: AbortSignal): Promise<Result<PredictAnswer>> {
    if (signal.aborted) return { ok: false, fault: faultOfCallOff(signal) };
    const startedMs = performance.now();
    const texts = call.inputs.filter((input) => typeof input === "string");
    if (texts.length < call.inputs.length) return fail("invalid_shape", { detail: "This model takes texts." });
    const predicted = await this.#classifier.predict(texts, { topK: call.topK, logits: call.logits });
    if (!predicted.ok) return predicted;
    return ok({
      ...predicted.value,
      timings: {
        queueMs: 0,
        prepareMs: 0,
        runMs: performance.now() - startedMs,
        shapeMs: 0,
        batchRows: texts.length,
        executions: 1,
      },
    });
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

const toOrt = { INT32: "int32", INT64: "int64" } as const;

/** One run of the graph. ONNX Runtime for Node runs on the calling thread: one call at a time, others between them. */
function runOn(session: ort.InferenceSession): Run {
  return async (feeds) => {
    try {
      const inputs = Object.entries(feeds).map(([name, tensor]) => [name, ortTensor(tensor)] as const);
      const outputs = await session.run(Object.fromEntries(inputs));
      return ok(Object.fromEntries(Object.entries(outputs).flatMap(namedTensor)));
    } catch (error) {
      return fail("upstream_failed", { cause: String(error).slice(0, 500) });
    }
  };
}

/** The text pipeline feeds ids; a tensor of another type is a bug of its. */
function ortTensor({ datatype, data, shape }: Tensor): ort.Tensor {
  if (datatype === "INT32" || datatype === "INT64") return new ort.Tensor(toOrt[datatype], data, shape);
  throw new Error(`The pipeline fed ${datatype}.`);
}

/** Outputs of another type than the pipeline reads are left out: it says itself what it misses. */
function namedTensor([name, value]: [string, ort.OnnxValue]): [string, Tensors[string]][] {
  const { dims: shape, data } = value as ort.Tensor;
  if (data instanceof Float32Array) return [[name, { datatype: "FP32", shape, data }]];
  if (data instanceof Int32Array) return [[name, { datatype: "INT32", shape, data }]];
  if (data instanceof BigInt64Array) return [[name, { datatype: "INT64", shape, data }]];
  return [];
}
