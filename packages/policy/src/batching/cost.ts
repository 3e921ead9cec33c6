/** Runs of about one size: means that forget, the sizes between two powers of two together. */
export interface SizeSeen {
  readonly power: number;
  /** Runs, the latest weighing 1. */
  readonly weight: number;
  readonly cells: number;
  readonly ms: number;
}

/** What a run takes by its cells: a straight line through what was seen. */
export interface Cost {
  /** Whether runs of unlike sizes were seen. If not, all of a run's time is taken to grow with it. */
  readonly isKnown: boolean;
  /** What a run takes whatever its size: what a call saves that shares one. */
  readonly fixedMs: number;
  readonly perCellMs: number;
  readonly meanCells: number;
  readonly meanMs: number;
  /** Cells beyond which nothing is guessed. */
  readonly farCells: number;
}

/** Of a size's mean, what is left after another run. */
const kept = 0.9;
/** What the first run of a size weighs. */
const firstWeight = 0.25;
/** How much of what a run took longer than usual is believed. */
const longerPart = 0.25;
/** Times the largest run that was seen. */
const farFromSeen = 4;
/** A standard deviation of sizes, as a part of their mean, from which on they say what size costs. */
const sizesDiffer = 0.1;
/** One slow run (a collection of garbage, a thread that starts anew) is believed so many times what was expected. */
const surpriseMax = 4;
/** Of shorter runs a clock says little. */
const msMin = 0.01;

/**
 * Sizes that were not seen lately keep what they taught: else a steady load, of runs all alike, would unlearn what size costs. What
 * disturbs a run makes it longer, so what it takes undisturbed is nearer the shorter ones; and the first of a size is often a cold one.
 */
export function learnSize(
  seen: readonly SizeSeen[],
  cost: Cost | undefined,
  cells: number,
  ms: number,
): readonly SizeSeen[] {
  const power = Math.floor(Math.log2(Math.max(1, cells)));
  const known = seen.find((one) => one.power === power);
  if (known === undefined) return [...seen, { power, weight: firstWeight, cells, ms }];
  const weight = known.weight * kept + 1;
  // What this run takes where the mean of its size is right.
  const usualMs = cost?.isKnown ? known.ms + cost.perCellMs * (cells - known.cells) : ms;
  const believedMs = usualMs + (ms - usualMs) * (ms > usualMs ? longerPart : 1);
  const mean = (old: number, fresh: number) => old + (fresh - old) / weight;
  const learned = { power, weight, cells: mean(known.cells, cells), ms: mean(known.ms, believedMs) };
  return seen.map((one) => (one === known ? learned : one));
}

/** By least squares of relative errors: what disturbs runs makes them longer by a part of what they take. */
export function costOf(seen: readonly SizeSeen[]): Cost | undefined {
  const weightOf = ({ weight, ms }: SizeSeen) => weight / Math.max(msMin, ms) ** 2;
  const sum = (pick: (one: SizeSeen) => number) => seen.reduce((all, one) => all + weightOf(one) * pick(one), 0);
  const n = sum(() => 1);
  if (n === 0) return undefined;
  const [meanCells, meanMs] = [sum(({ cells }) => cells) / n, sum(({ ms }) => ms) / n];
  const variance = sum(({ cells }) => (cells - meanCells) ** 2) / n;
  const together = sum(({ cells, ms }) => (cells - meanCells) * (ms - meanMs)) / n;
  const isKnown = variance >= (sizesDiffer * meanCells) ** 2;
  const whole = meanMs / meanCells;
  const perCellMs = isKnown ? Math.min(whole, Math.max(0, together / variance)) : whole;
  const farCells = farFromSeen * Math.max(...seen.map(({ cells }) => cells));
  return { isKnown, fixedMs: meanMs - perCellMs * meanCells, perCellMs, meanCells, meanMs, farCells };
}

/**
 * What a run of so many cells takes; 0 before the first. What is far from all that was seen is not guessed at: an estimate refuses
 * calls, so it had better be too small.
 */
export function estimateMs(cost: Cost | undefined, cells: number): number {
  if (cost === undefined) return 0;
  if (!cost.isKnown) return cost.meanMs * Math.min(1, cells / cost.meanCells);
  return cost.fixedMs + cost.perCellMs * Math.min(cells, cost.farCells);
}

/** The most that a run of so many cells is believed to have taken. */
export function surpriseMs(cost: Cost | undefined, cells: number): number {
  return cost?.isKnown ? surpriseMax * estimateMs(cost, cells) + 1 : Number.POSITIVE_INFINITY;
}
