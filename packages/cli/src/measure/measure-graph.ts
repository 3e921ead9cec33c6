import type { Tensors } from "@ledge/contract";
import type { GraphFacts } from "../inspect/read-graph.ts";
import { Refusal } from "../refusal.ts";
import { compareOutputs, type Difference, worstOf } from "./compare.ts";
import type { EngineFigures, MeasureJob } from "./job.ts";
import { type EngineName, type ProcessLimits, runProcess } from "./run-process.ts";
import { generateFeeds, takesRows } from "./samples.ts";

export interface EngineCost {
  readonly loadMs: number;
  /** Median milliseconds of a run, by rows in it. */
  readonly runMs: Readonly<Record<string, number>>;
}

export interface Measurement {
  /** Bytes of the graph and its external data. */
  readonly bytes: number;
  readonly native: EngineCost;
  /** Or the sentence that says why the WASM build does not run it. */
  readonly wasm: (EngineCost & { readonly heapBytes: number }) | { readonly refused: string };
  /** How far the WASM build's outputs lie from native ones. Absent when it does not run the model. */
  readonly difference?: Difference;
  /** How far native outputs move when the engine adds up in another order: the model's own share of the difference. */
  readonly rounding: Difference;
  /** What native ONNX Runtime gave for the first run: outputs that the graph says little of show their shape here. */
  readonly outputs: Tensors;
}

export interface MeasureOptions {
  readonly limits: ProcessLimits;
  /** Milliseconds spent on counting one batch size. */
  readonly countMs: number;
  /** Sizes of variable dimensions by name. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Sizes of variable dimensions in the longest input the package takes: what the heap must hold, too. */
  readonly longest?: ReadonlyMap<string, number>;
  /** Given feeds, each one run, in place of generated ones of 1 and 8 rows. */
  readonly samples?: readonly Tensors[];
  readonly onStep?: (engine: EngineName, done: number, of: number) => void;
}

const rowsMeasured = 8;

/**
 * Runs a graph natively and in workerd on the same feeds, and compares what comes out.
 *
 * @throws Refusal when native ONNX Runtime cannot run it: then no tier can.
 */
export async function measureGraph(facts: GraphFacts, options: MeasureOptions): Promise<Measurement> {
  const { limits, onStep } = options;
  const job: MeasureJob = {
    graph: facts.path,
    externals: facts.externals.map(({ location, path }) => ({ location, path })),
    runs: runsOf(facts, options),
    countMs: options.countMs,
    ...largestOf(facts, options),
  };
  const measured = (engine: EngineName) => {
    onStep?.(engine, 0, job.runs.length + 1);
    return runProcess(engine, job, limits, (done, of) => onStep?.(engine, done, of));
  };
  const native = await measured("native");
  const bytes = facts.externals.reduce((sum, file) => sum + file.bytes, facts.bytes);
  const rounding = native.runs.map(({ outputs, plainOutputs = {} }) => compareOutputs(plainOutputs, outputs));
  const outputs = native.runs[0]?.outputs ?? {};
  const common = { bytes, native: costOf(native), rounding: rounding.reduce(worstOf), outputs };
  let wasm: EngineFigures;
  try {
    wasm = await measured("wasm");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...common, wasm: { refused: error.message } };
  }
  const differences = native.runs.map((run, at) => compareOutputs(wasm.runs[at]?.outputs ?? {}, run.outputs));
  return {
    ...common,
    wasm: { ...costOf(wasm), heapBytes: wasm.heapBytes ?? 0 },
    difference: differences.reduce(worstOf),
  };
}

function runsOf(facts: GraphFacts, { samples, sizes }: MeasureOptions): MeasureJob["runs"] {
  if (samples !== undefined) return samples.map((feeds) => ({ rows: rowsIn(feeds), feeds }));
  const rows = takesRows(facts) ? [1, rowsMeasured] : [1];
  return rows.map((count) => ({ rows: count, feeds: generateFeeds(facts, count, sizes) }));
}

function largestOf(facts: GraphFacts, { longest, sizes }: MeasureOptions): Pick<MeasureJob, "largest"> {
  if (longest === undefined || longest.size === 0 || !takesRows(facts)) return {};
  return { largest: generateFeeds(facts, rowsMeasured, new Map([...sizes, ...longest])) };
}

function rowsIn(feeds: Tensors): number {
  return Object.values(feeds)[0]?.shape[0] ?? 1;
}

function costOf({ loadMs, runs }: EngineFigures): EngineCost {
  return {
    loadMs: rounded(loadMs),
    runMs: Object.fromEntries(runs.map(({ rows, medianMs }) => [rows, rounded(medianMs)])),
  };
}

/** Three digits that mean something. */
function rounded(ms: number): number {
  return Number(ms.toPrecision(3));
}
