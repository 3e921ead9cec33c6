import type { Prediction, Tensors } from "@ledge/contract";

/** What a caller wants to see of a row. */
export interface Asked {
  /** How many labels, best first. At least 1. */
  readonly topK: number;
  /** Whether the raw logits come along, unrounded. */
  readonly logits: boolean;
}

/** What the graph gave for one row. */
export interface OutputRow {
  /** Of the {@link PreparedRow}: features, tokens, pixels or samples, padding excluded. */
  readonly tokens: number;
  /** The outputs that the step after the graph reads, without the batch dimension: views. */
  readonly tensors: Tensors;
}

/** The step after the graph, made ready. */
export interface Shaper {
  readonly gives: "labels" | "embedding";
  /** The output it reads. */
  readonly output: string;
  /** What that output holds for one row; −1 stands for any length. */
  readonly rowShape: readonly number[];
  shape(row: OutputRow, asked: Asked): Prediction;
}
