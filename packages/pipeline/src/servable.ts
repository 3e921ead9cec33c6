import {
  fail,
  type ModelManifest,
  ok,
  type PredictInput,
  type Prediction,
  type Result,
  type Task,
} from "@ledge/contract";
import { choosePreparer } from "./prepare/choose-preparer.ts";
import { planRuns, type RunLimits } from "./prepare/plan-runs.ts";
import type { PreparedRow, Preparer } from "./prepare/preparer.ts";
import { stackRows } from "./prepare/stack-rows.ts";
import type { Run } from "./run.ts";
import { chooseShaper } from "./shape/choose-shaper.ts";
import type { Asked, OutputRow, Shaper } from "./shape/shaper.ts";
import { splitRows } from "./shape/split-rows.ts";

export interface ServableOptions {
  /** The package's `model.json`. */
  readonly manifest: ModelManifest;
  /** The package's files by their path in it: labels, tokenizer. The graph and its external data are not needed. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly run: Run;
  /** Default: 64 rows and 16,384 values, padding included, per run of the graph. The manifest's `batchMax` holds besides. */
  readonly limits?: RunLimits;
}

/**
 * A model with the steps around its graph. They are apart, so that a tier may batch rows of several calls between them.
 * A package without steps takes and gives tensors: its graph is run as it is, and nothing here is of use.
 */
export interface Servable {
  readonly takes: "text" | "image" | "audio" | "tensors";
  readonly gives: "labels" | "embedding" | "tensors";
  /** Whether rows of unlike length may share a run, the shorter filled up. */
  readonly pads: boolean;
  /** Turns an input into what the graph takes. Fault: `invalid_shape`, whose detail says what is wrong with the input. */
  prepare(input: PredictInput): Result<PreparedRow>;
  /**
   * Runs rows, in as many runs of the graph as {@link RunLimits} ask for. One output row per row, in order.
   * Faults: whatever the port says, and `upstream_failed` for an output of another shape or with numbers that are not finite.
   */
  run(rows: readonly PreparedRow[]): Promise<Result<OutputRow[]>>;
  /** The runs of the graph that these rows ask for, `[from, to)` of each. */
  plan(rows: readonly PreparedRow[]): readonly (readonly [from: number, to: number])[];
  shape(row: OutputRow, asked: Asked): Prediction;
}

const defaultLimits: RunLimits = { rowsMax: 64, cellsMax: 16_384 };

/**
 * What a model package describes: the same package gives the same answer at every tier.
 *
 * Faults: `model_not_ready`, whose cause names what is wrong, when the package asks for steps that this version does not
 * know, or that do not fit its graph or its files.
 */
export function createServable(options: ServableOptions): Result<Servable> {
  const { manifest, files } = options;
  const servable = makeServable(options);
  if (servable.ok) return servable;
  const { name, version } = manifest;
  const missing = files.size === 0 ? " (no files were given)" : "";
  return fail("model_not_ready", { cause: `${name}@${version}: ${servable.fault.cause}${missing}` });
}

function makeServable({ manifest, files, run, limits }: ServableOptions): Result<Servable> {
  const { task, preprocess, postprocess } = manifest;
  if (preprocess === undefined && postprocess === undefined) return task === "chat" ? notHere(task) : ok(tensorsOnly);
  if (preprocess === undefined || postprocess === undefined) {
    return fail("model_not_ready", { cause: "preprocess and postprocess come together or not at all" });
  }
  const preparer = choosePreparer(preprocess, manifest.inputs, files);
  if (!preparer.ok) return preparer;
  const shaper = chooseShaper(postprocess, manifest.outputs, files);
  if (!shaper.ok) return shaper;
  if (!does(task, preparer.value.takes, shaper.value.gives)) {
    return fail("model_not_ready", {
      cause: `steps from ${preparer.value.takes} to ${shaper.value.gives} are no ${task}`,
    });
  }
  const within = limitsOf(manifest, limits ?? defaultLimits);
  return ok({
    takes: preparer.value.takes,
    gives: shaper.value.gives,
    pads: preparer.value.padding !== undefined,
    prepare: preparer.value.prepare,
    run: (rows) => runRows(rows, preparer.value, shaper.value, manifest, run, within),
    plan: (rows) => planOf(rows, preparer.value, within),
    shape: shaper.value.shape,
  });
}

/** A run holds no more rows than its package allows, nor than its graph has places for where it fixes the batch. */
function limitsOf({ limits, inputs }: ModelManifest, asked: RunLimits): RunLimits {
  const places = inputs.map(({ shape }) => shape[0] ?? -1).filter((size) => size > 0);
  return { ...asked, rowsMax: Math.min(asked.rowsMax, limits.batchMax ?? Number.POSITIVE_INFINITY, ...places) };
}

async function runRows(
  rows: readonly PreparedRow[],
  preparer: Preparer,
  shaper: Shaper,
  { inputs }: ModelManifest,
  run: Run,
  limits: RunLimits,
): Promise<Result<OutputRow[]>> {
  const all: OutputRow[] = [];
  const { padding } = preparer;
  for (const [from, to] of planOf(rows, preparer, limits)) {
    const part = rows.slice(from, to);
    const feeds = stackRows(part, inputs, padding ?? {});
    const outputs = await run(feeds, [shaper.output]);
    if (!outputs.ok) return outputs;
    const length = padding === undefined ? undefined : Object.values(feeds)[0]?.shape[1];
    const split = splitRows(outputs.value, shaper, part, length);
    if (!split.ok) return split;
    all.push(...split.value);
  }
  return ok(all);
}

function planOf(rows: readonly PreparedRow[], { padding }: Preparer, limits: RunLimits) {
  return planRuns(rows.map(valuesOf), limits, padding === undefined);
}

/** Values of a row's largest tensor: what a run's size is counted in. */
function valuesOf({ tensors }: PreparedRow): number {
  return Object.values(tensors).reduce((most, { data }) => Math.max(most, data.length), 0);
}

const tasks: Readonly<Record<Task, readonly [takes: Servable["takes"][], gives: Servable["gives"]]>> = {
  "text-classification": [["text"], "labels"],
  "image-classification": [["image"], "labels"],
  "audio-classification": [["audio"], "labels"],
  embedding: [["text", "image", "audio"], "embedding"],
  chat: [[], "tensors"],
  tensor: [[], "tensors"],
};

function does(task: Task, takes: Servable["takes"], gives: Servable["gives"]): boolean {
  const [kinds, result] = tasks[task];
  return kinds.includes(takes) && result === gives;
}

function notHere(task: Task): Result<never> {
  return fail("model_not_ready", { cause: `${task} is not done by one run of a graph` });
}

const tensorsOnly: Servable = {
  takes: "tensors",
  gives: "tensors",
  pads: false,
  prepare: () =>
    fail("invalid_shape", { detail: "This model takes tensors only: ask it by the Open Inference Protocol." }),
  run: async () => fail("upstream_failed", { cause: "A model without steps was given rows." }),
  plan: () => [],
  shape: () => {
    throw new Error("A model without steps has no rows to shape.");
  },
};
