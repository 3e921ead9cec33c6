/** A Worker's clock moves in whole milliseconds: runs are counted in blocks long enough for that to be a small fault. */
const blockMs = 20;
const blocksMin = 3;

/**
 * The median time of one run, milliseconds, over blocks of runs. Half as long again is spent on warming up before:
 * engines compile what they run often anew. One run that takes longer than `countMs` even when it is no longer the first, which
 * is cold, is not repeated.
 *
 * @param now milliseconds, any origin.
 */
export async function timeRuns(run: () => Promise<unknown>, now: () => number, countMs: number): Promise<number> {
  const block = async (runs: number) => {
    const beganMs = now();
    for (let left = runs; left > 0; left--) await run();
    return now() - beganMs;
  };
  const coldMs = await block(1);
  const firstMs = coldMs > countMs ? await block(1) : coldMs;
  if (firstMs > countMs) return firstMs;
  for (const warmMs = now() + countMs / 2; now() < warmMs; ) await run();
  let runs = 1;
  for (let tookMs = await block(runs); tookMs < blockMs; tookMs = await block(runs)) runs *= 2;
  const times: number[] = [];
  for (const endMs = now() + countMs; times.length < blocksMin || now() < endMs; ) {
    times.push((await block(runs)) / runs);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1] ?? firstMs;
}
