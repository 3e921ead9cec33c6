import { Histogram } from "./histogram.ts";

/** What a batcher did since the origin started. */
export class BatchFigures {
  /** Rows in each run. */
  readonly rows = new Histogram([1, 2, 4, 8, 16, 32, 64, 128, 256]);
  /** Seconds that each call waited for its run. */
  readonly queueS = new Histogram([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
  /** Calls that were refused: the line was full, or their deadline could not be met. */
  readonly refused = { full: 0, late: 0 };
}

/** What is told of calls that share runs. */
export interface BatchReport {
  /** Calls in the runs that the engine does now. */
  readonly running: number;
  /** Calls that wait. */
  readonly waiting: number;
  readonly figures: BatchFigures;
}
