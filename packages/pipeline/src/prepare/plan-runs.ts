/** How much one run of the graph may hold. Memory of the runtime grows to its largest run and never shrinks. */
export interface RunLimits {
  readonly rowsMax: number;
  /** Rows × longest row, padding included. A row longer than this runs alone. */
  readonly cellsMax: number;
}

/**
 * Parts rows into runs, in order: each run is as large as the limits let it be, and holds at least one row.
 *
 * @param alike whether rows of different lengths must not share a run
 * @returns `[from, to)` of each run
 */
export function planRuns(lengths: readonly number[], limits: RunLimits, alike = false): [number, number][] {
  const runs: [number, number][] = [];
  let from = 0;
  let longest = 1;
  for (const [index, length] of lengths.entries()) {
    const rows = index - from + 1;
    const wouldBe = Math.max(longest, length);
    const fits = rows <= limits.rowsMax && rows * wouldBe <= limits.cellsMax && (!alike || length === lengths[from]);
    if (rows > 1 && !fits) {
      runs.push([from, index]);
      from = index;
      longest = Math.max(1, length);
    } else longest = wouldBe;
  }
  if (lengths.length > 0) runs.push([from, lengths.length]);
  return runs;
}
