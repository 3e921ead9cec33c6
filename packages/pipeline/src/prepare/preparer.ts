import type { PredictInput, Result, Tensor, Tensors } from "@ledge/contract";

/** One input as the graph takes it. */
export interface PreparedRow {
  /** Features, tokens, pixels or samples, padding excluded: what a caller is told it used. */
  readonly tokens: number;
  /** The graph's inputs for one row, without the batch dimension. */
  readonly tensors: Tensors;
}

/** The step before the graph, made ready. */
export interface Preparer {
  readonly takes: "text" | "image" | "audio";
  /** Fault: `invalid_shape`, whose detail says what is wrong with the input. Never throws, whatever the input. */
  prepare(input: PredictInput): Result<PreparedRow>;
  /**
   * What fills a row that is shorter than its mates, by input; default 0. Absent when nothing may: rows of different shapes
   * never share a run then, since what was filled in would change the answer.
   */
  readonly padding?: Readonly<Record<string, number>>;
}

/** A tensor that a step makes. */
export type StepTensor = Extract<Tensor, { readonly datatype: "INT32" | "INT64" | "FP32" }>;
