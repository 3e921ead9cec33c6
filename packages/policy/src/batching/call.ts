export interface BatchRule {
  /** Rows in a run of several calls. A call of more rows runs alone. */
  readonly rowsMax: number;
  /** Rows × the longest of them, padding included, in a run of several calls. */
  readonly cellsMax: number;
  /** Of a run's cells, the most that may be padding: 0 to below 1. */
  readonly paddingMax: number;
  /** Sizes that the engine runs best, ascending; empty: all are alike. */
  readonly preferredRows: readonly number[];
  /** The longest that a call waits for mates while the engine is free. */
  readonly delayMsMax: number;
  /** Calls that may wait. */
  readonly waitingMax: number;
  /** Runs that the engine does at once. */
  readonly runningMax: number;
}

export interface BatchCall {
  readonly rows: number;
  /** Tokens or values of its longest row. */
  readonly length: number;
  /** Only calls with the same key share a run; without one a call runs alone. */
  readonly key: string | undefined;
  /** 0 goes first. */
  readonly priority: number;
  /** When nobody wants the answer any more. */
  readonly deadlineMs: number;
}

export interface Ticket extends BatchCall {
  readonly id: number;
  readonly arrivedMs: number;
}

export function rowsOf(batch: readonly BatchCall[]): number {
  return batch.reduce((sum, { rows }) => sum + rows, 0);
}

/** Rows × the longest, as they lie in one run. */
export function cellsOf(batch: readonly BatchCall[]): number {
  return rowsOf(batch) * batch.reduce((most, call) => Math.max(most, call.length), 1);
}
