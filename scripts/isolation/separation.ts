/** How far two samples of times lie apart. */
export interface Separation {
  /** Milliseconds. */
  readonly medianA: number;
  readonly medianB: number;
  /** How often one of A takes longer than one of B, ties halved: 0.5 tells nothing, 0 or 1 everything. */
  readonly share: number;
  /** The share's distance from 0.5 in standard deviations of what equal samples show (Mann and Whitney). */
  readonly deviations: number;
}

/** Robust: only the order of the times counts, so that a pause of the machine's weighs no more than any other time. */
export function separationOf(a: readonly number[], b: readonly number[]): Separation {
  const sorted = b.toSorted((x, y) => x - y);
  const below = (value: number, orEqual: boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = sorted[middle] ?? 0;
      if (at < value || (orEqual && at === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const longer = a.reduce((sum, value) => sum + (below(value, false) + below(value, true)) / 2, 0);
  const pairs = a.length * b.length;
  const share = longer / pairs;
  const deviation = Math.sqrt((a.length + b.length + 1) / (12 * pairs));
  return { medianA: medianOf(a), medianB: medianOf(b), share, deviations: (share - 0.5) / deviation };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
