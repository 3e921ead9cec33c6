import { fail, type LabelPrediction, type ModelManifest, ok, parse, type Result, softmaxLabels } from "@ledge/contract";
import * as z from "zod/mini";
import { featureHashing } from "./prepare/feature-hashing.schema.ts";
import { type Featurize, featureHasher } from "./prepare/feature-hashing.ts";
import { padRows } from "./prepare/pad.ts";
import { planRuns, type RunLimits } from "./prepare/plan-runs.ts";
import type { Run } from "./run.ts";
import { readLogits } from "./shape/read-logits.ts";
import { type Asked, toPrediction } from "./shape/to-prediction.ts";

export interface ClassifierOptions {
  /** The package's `model.json`. */
  readonly manifest: ModelManifest;
  /** The package's labels, one per class, in the order of the logits. Checked here. */
  readonly labels: unknown;
  readonly run: Run;
  /** Default: 64 rows and 16,384 ids, padding included, per run of the graph. */
  readonly limits?: RunLimits;
}

/** Texts in, labels out. The steps are apart, so that a tier may batch rows of several calls between them. */
export interface Classifier {
  readonly classes: number;
  /** Feature ids of one text. Nanoseconds per character; never throws. */
  readonly prepare: Featurize;
  /**
   * Runs rows of ids, in as many runs as {@link RunLimits} ask for. One `[classes]` array per row, in order.
   * Faults: whatever the port says, and `upstream_failed` for outputs that are not `[rows, classes]` of finite numbers.
   */
  run(rows: readonly Int32Array[]): Promise<Result<Float32Array[]>>;
  shape(logits: Float32Array, asked: Asked): LabelPrediction;
  /** All three steps for the texts of one call. */
  predict(texts: readonly string[], asked: Asked): Promise<Result<Predicted>>;
}

export interface Predicted {
  readonly predictions: LabelPrediction[];
  /** Ids the texts were turned into, padding excluded. */
  readonly inputTokens: number;
}

const defaultLimits: RunLimits = { rowsMax: 64, cellsMax: 16_384 };

/**
 * The text classifier that a model package describes: the same package gives the same answer at every tier.
 *
 * Faults: `model_not_ready` with every issue, when the package asks for steps that this version does not know.
 */
export function createClassifier(options: ClassifierOptions): Result<Classifier> {
  const checked = checkPackage(options.manifest, options.labels);
  if (!checked.ok) return checked;
  const { preprocess, labels, outOfScope, input, output } = checked.value;
  const limits = options.limits ?? defaultLimits;
  const prepare = featureHasher(preprocess);

  async function runOnce(rows: readonly Int32Array[]): Promise<Result<Float32Array[]>> {
    const outputs = await options.run({ [input.name]: padRows(rows, preprocess.padId, input.datatype) });
    return outputs.ok ? readLogits(outputs.value, output, rows.length, labels.length) : outputs;
  }

  async function run(rows: readonly Int32Array[]): Promise<Result<Float32Array[]>> {
    const lengths = rows.map((row) => row.length);
    const logits: Float32Array[] = [];
    for (const [from, to] of planRuns(lengths, limits)) {
      const part = await runOnce(rows.slice(from, to));
      if (!part.ok) return part;
      for (const row of part.value) logits.push(row);
    }
    return ok(logits);
  }

  const shape = (logits: Float32Array, asked: Asked) => toPrediction(logits, labels, outOfScope, asked);

  async function predict(texts: readonly string[], asked: Asked): Promise<Result<Predicted>> {
    const rows = texts.map(prepare);
    const logits = await run(rows);
    if (!logits.ok) return logits;
    const inputTokens = rows.reduce((sum, row) => sum + row.length, 0);
    return ok({ predictions: logits.value.map((row) => shape(row, asked)), inputTokens });
  }

  return ok({ classes: labels.length, prepare, run, shape, predict });
}

const textClassifier = z.object({
  task: z.literal("text-classification"),
  inputs: z.tuple([z.object({ name: z.string(), datatype: z.enum(["INT32", "INT64"]) })]),
  outputs: z.tuple([z.object({ name: z.string(), datatype: z.literal("FP32") })]),
  preprocess: featureHashing,
  postprocess: softmaxLabels,
});

const labelList = z.array(z.string().check(z.minLength(1))).check(z.minLength(1), z.maxLength(100_000));

function checkPackage(manifest: ModelManifest, labels: unknown) {
  const read = parse(z.object({ manifest: textClassifier, labels: labelList }), { manifest, labels });
  if (!read.ok) {
    const issues = (read.fault.issues ?? []).map((issue) => `${issue.path}: ${issue.message}`);
    return fail("model_not_ready", { cause: `${manifest.name}@${manifest.version}: ${issues.join("; ")}` });
  }
  const { preprocess, postprocess, inputs, outputs } = read.value.manifest;
  const { outOfScope } = postprocess;
  if (outOfScope !== undefined && !read.value.labels.includes(outOfScope.label)) {
    return fail("model_not_ready", { cause: `No label is named '${outOfScope.label}', as outOfScope says.` });
  }
  return ok({ preprocess, labels: read.value.labels, outOfScope, input: inputs[0], output: outputs[0].name });
}
