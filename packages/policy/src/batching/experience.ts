import { type Cost, costOf, estimateMs, learnSize, type SizeSeen, surpriseMs } from "./cost.ts";

/** What a line learns of its engine and of its callers: what a run takes by its size, how close together calls come, how many. */
export interface Experience {
  readonly seen: readonly SizeSeen[];
  readonly cost: Cost | undefined;
  /** When a run last ended; before the first, never. */
  readonly endedMs: number;
  /** When a call last came. */
  readonly arrivedMs: number;
  /** Between calls, the geometric mean: of the many short gaps of a crowd and the long one behind it, it is near the short ones. */
  readonly gapMs: number;
  /**
   * Calls that come so soon after the end of a run that waiting for them costs less than a run of their own: as a rule those that it
   * answered, asking again. How many a run, and when the last of them comes, milliseconds after the end.
   */
  readonly returns: Returns;
  /** The same since the last run ended. */
  readonly returned: Returns;
  /** The callers of the last run, and of the one before. */
  readonly away: readonly Away[];
  /** By the calls that a run answered, how long it was until as many came. */
  readonly backSeen: readonly SizeSeen[];
  readonly back: Cost | undefined;
  /** Calls that come, per millisecond, counted since the first. */
  readonly arrivals: number;
  readonly firstMs: number;
  /** Until when callers who were refused have been asked to come back. */
  readonly promisedMs: number;
}

interface Away {
  readonly calls: number;
  /** Of them, not yet back. */
  readonly left: number;
  readonly endedMs: number;
}

interface Returns {
  readonly count: number;
  readonly afterMs: number;
}

export const noExperience: Experience = {
  seen: [],
  cost: undefined,
  endedMs: Number.NEGATIVE_INFINITY,
  arrivedMs: Number.NEGATIVE_INFINITY,
  gapMs: Number.POSITIVE_INFINITY,
  returns: { count: 0, afterMs: 0 },
  returned: { count: 0, afterMs: 0 },
  away: [],
  backSeen: [],
  back: undefined,
  arrivals: 0,
  firstMs: Number.NEGATIVE_INFINITY,
  promisedMs: Number.NEGATIVE_INFINITY,
};

/** Of the newest gap in the mean of their logarithms. */
const gapWeight = 0.15;
/** Of the newest run in the mean of what follows one. */
const returnsWeight = 0.2;
const gapMsMin = 0.01;
const gapMsMax = 1_000;
/** Arrivals are counted over about so long. */
const arrivalsOverMs = 10_000;

export function learnArrival(experience: Experience, nowMs: number): Experience {
  const passedMs = Math.max(0, nowMs - experience.arrivedMs);
  const gap = Math.min(gapMsMax, Math.max(gapMsMin, passedMs));
  const gapMs =
    experience.gapMs === Number.POSITIVE_INFINITY ? gap : experience.gapMs ** (1 - gapWeight) * gap ** gapWeight;
  const isFirst = experience.arrivedMs === Number.NEGATIVE_INFINITY;
  const afterMs = nowMs - experience.endedMs;
  const isReturn = afterMs < hopedSavingMs(experience);
  return {
    ...experience,
    ...learnBack(experience, nowMs),
    arrivedMs: nowMs,
    returned: isReturn ? { count: experience.returned.count + 1, afterMs } : experience.returned,
    firstMs: isFirst ? nowMs : experience.firstMs,
    gapMs: isFirst ? Number.POSITIVE_INFINITY : gapMs,
    arrivals: experience.arrivals * Math.exp(-passedMs / arrivalsOverMs) + 1 / arrivalsOverMs,
  };
}

/** Who comes is taken for one of the last run's: so a caller who never comes back leaves no trace in what is learnt of others. */
function learnBack(
  { away, backSeen, back }: Experience,
  nowMs: number,
): Pick<Experience, "away" | "backSeen" | "back"> {
  const last = away.at(-1);
  if (last === undefined) return { away, backSeen, back };
  const others = away.slice(0, -1);
  if (last.left > 1) return { away: [...others, { ...last, left: last.left - 1 }], backSeen, back };
  const seen = learnSize(backSeen, back, last.calls, nowMs - last.endedMs);
  return { away: others, backSeen: seen, back: costOf(seen) };
}

/** A run of so many cells has ended, which answered so many calls. */
export function learnRun(
  experience: Experience,
  cells: number,
  calls: number,
  startedMs: number,
  nowMs: number,
): Experience {
  const seen = learnSize(
    experience.seen,
    experience.cost,
    cells,
    Math.min(nowMs - startedMs, surpriseMs(experience.cost, cells)),
  );
  const { returns, returned } = experience;
  const mixed = (old: number, fresh: number) => old + returnsWeight * (fresh - old);
  return {
    ...experience,
    seen,
    cost: costOf(seen),
    endedMs: nowMs,
    returns: {
      count: mixed(returns.count, returned.count),
      afterMs: returned.count === 0 ? returns.afterMs : mixed(returns.afterMs, returned.afterMs),
    },
    returned: { count: 0, afterMs: 0 },
    // Some never come back; of more than two runs nobody is waited for.
    away: [...experience.away.slice(-1), { calls, left: calls, endedMs: nowMs }],
  };
}

/** What a run of so many cells takes; 0 before the first. */
export function takesMs({ cost }: Experience, cells: number): number {
  return estimateMs(cost, cells);
}

/**
 * What a call saves that shares a run, as far as can be hoped: while all runs were of one size, all that one takes. Whoever waits for
 * mates on that hope sees a run of another size, and then knows.
 */
export function hopedSavingMs({ cost }: Experience): number {
  if (cost === undefined) return 0;
  return cost.isKnown ? cost.fixedMs : cost.meanMs;
}

/** Calls that were answered and are likely to be asked again before long. */
export function awayOf({ away }: Experience): number {
  return away.reduce((sum, { left }) => sum + left, 0);
}

/** How long it is until the callers of a run of so many calls are back; 0 where that was never seen. */
export function backMs({ back }: Experience, calls: number): number {
  return estimateMs(back, calls);
}

/** Calls that come per millisecond, as of now. */
export function arrivalRate({ arrivals, arrivedMs, firstMs }: Experience, nowMs: number): number {
  const counted = 1 - Math.exp(-Math.max(countedMsMin, nowMs - firstMs) / arrivalsOverMs);
  return (arrivals * Math.exp(-Math.max(0, nowMs - arrivedMs) / arrivalsOverMs)) / counted;
}

/** A crowd that is the first to come says little of who comes later. */
const countedMsMin = 1_000;
