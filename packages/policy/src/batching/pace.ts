/**
 * What a line learns of its engine and of its callers, all of it forgetting: what a run takes by its size, how close together calls
 * come, how many.
 */
export interface Pace {
  /** Sums over runs, the newest weighing 1, for a straight line through run times by cells. */
  readonly runs: {
    readonly n: number;
    readonly x: number;
    readonly y: number;
    readonly xx: number;
    readonly xy: number;
  };
  /** When a run last ended; before the first, never. */
  readonly endedMs: number;
  /** When a call last came. */
  readonly arrivedMs: number;
  /** Between calls, the geometric mean: of the many short gaps of a crowd and the long one behind it, it is near the short ones. */
  readonly gapMs: number;
  /** Calls that come, per millisecond, counted since the first. */
  readonly arrivals: number;
  readonly firstMs: number;
  /** Until when callers who were refused have been asked to come back. */
  readonly promisedMs: number;
}

export const startPace: Pace = {
  runs: { n: 0, x: 0, y: 0, xx: 0, xy: 0 },
  endedMs: Number.NEGATIVE_INFINITY,
  arrivedMs: Number.NEGATIVE_INFINITY,
  gapMs: Number.POSITIVE_INFINITY,
  arrivals: 0,
  firstMs: Number.NEGATIVE_INFINITY,
  promisedMs: Number.NEGATIVE_INFINITY,
};

/** A run counts half after 13 more. */
const runsKept = 0.95;
/** Of the newest gap in the mean of their logarithms. */
const gapWeight = 0.15;
const gapMsMin = 0.01;
const gapMsMax = 1_000;
/** Arrivals are counted over about so long. */
const arrivalsOverMs = 10_000;
/** One slow run (a collection of garbage, a thread that starts anew) is believed so many times what was expected. */
const surpriseMax = 4;

export function learnArrival(pace: Pace, nowMs: number): Pace {
  const passedMs = Math.max(0, nowMs - pace.arrivedMs);
  const gap = Math.min(gapMsMax, Math.max(gapMsMin, passedMs));
  const gapMs = pace.gapMs === Number.POSITIVE_INFINITY ? gap : pace.gapMs ** (1 - gapWeight) * gap ** gapWeight;
  const isFirst = pace.arrivedMs === Number.NEGATIVE_INFINITY;
  return {
    ...pace,
    arrivedMs: nowMs,
    firstMs: isFirst ? nowMs : pace.firstMs,
    gapMs: isFirst ? Number.POSITIVE_INFINITY : gapMs,
    arrivals: pace.arrivals * Math.exp(-passedMs / arrivalsOverMs) + 1 / arrivalsOverMs,
  };
}

/** A run of so many cells has ended. */
export function learnRun(pace: Pace, cells: number, startedMs: number, nowMs: number): Pace {
  const { runs } = pace;
  const expectedMs = estimateMs(pace, cells);
  const tookMs = nowMs - startedMs;
  const y = runs.n > 1 ? Math.min(tookMs, surpriseMax * expectedMs + 1) : tookMs;
  return {
    ...pace,
    endedMs: nowMs,
    runs: {
      n: runs.n * runsKept + 1,
      x: runs.x * runsKept + cells,
      y: runs.y * runsKept + y,
      xx: runs.xx * runsKept + cells * cells,
      xy: runs.xy * runsKept + cells * y,
    },
  };
}

/**
 * What a run of so many cells takes; 0 before the first. What is far from all that was seen is not guessed at: an estimate refuses
 * calls, so it had better be too small.
 */
export function estimateMs(pace: Pace, cells: number): number {
  const { n, x, y, xx } = pace.runs;
  if (n === 0) return 0;
  if (!saysWhatSizeCosts(pace)) return (y / n) * Math.min(1, (cells * n) / x);
  return savingMs(pace) + slopeMs(pace) * Math.min(cells, farFromSeen * Math.sqrt(xx / n));
}

const farFromSeen = 4;

/** What a cell adds to a run. While all runs are of one size, all of their time is taken to grow with it. */
export function slopeMs(pace: Pace): number {
  const { n, x, y, xx, xy } = pace.runs;
  if (n === 0) return 0;
  const whole = y / x;
  if (!saysWhatSizeCosts(pace)) return whole;
  const [meanX, meanY] = [x / n, y / n];
  return Math.min(whole, Math.max(0, (xy / n - meanX * meanY) / (xx / n - meanX ** 2)));
}

function saysWhatSizeCosts({ runs: { n, x, xx } }: Pace): boolean {
  return xx / n - (x / n) ** 2 >= ((sizesDiffer * x) / n) ** 2;
}

/** A standard deviation of sizes, as a part of their mean, from which on they say what size costs. */
const sizesDiffer = 0.1;

/** What a run takes whatever its size: what a call saves that shares one. */
export function savingMs(pace: Pace): number {
  const { n, x, y } = pace.runs;
  return n === 0 ? 0 : Math.max(0, y / n - (slopeMs(pace) * x) / n);
}

/** Calls that come per millisecond, as of now. */
export function arrivalRate({ arrivals, arrivedMs, firstMs }: Pace, nowMs: number): number {
  const counted = 1 - Math.exp(-Math.max(countedMsMin, nowMs - firstMs) / arrivalsOverMs);
  return (arrivals * Math.exp(-Math.max(0, nowMs - arrivedMs) / arrivalsOverMs)) / counted;
}

/** A crowd that is the first to come says little of who comes later. */
const countedMsMin = 1_000;
