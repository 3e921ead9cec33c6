/** Latencies as counts in fixed classes, each a fifth wider than the one before: what is read from them is right to a tenth. */

const growth = 1.2;
const classes = 78;

/** The class of a latency, 0 to 77: below 1 ms, then up to 20 minutes. */
export function latencyClass(ms: number): number {
  if (!(ms >= 1)) return 0;
  return Math.min(classes - 1, 1 + Math.floor(Math.log(ms) / Math.log(growth)));
}

/** The middle of a class, milliseconds. */
function middleMs(index: number): number {
  return index === 0 ? 0.5 : growth ** (index - 0.5);
}

/** The latency that a share of the calls did not exceed, milliseconds; `undefined` without calls. */
export function latencyQuantile(counts: ReadonlyMap<number, number>, share: number): number | undefined {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let seen = 0;
  for (const [index, count] of [...counts].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= share * total) return Math.round(middleMs(index) * 10) / 10;
  }
  return undefined;
}
