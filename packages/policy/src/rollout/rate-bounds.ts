import { logBeta } from "./log-gamma.ts";

/** Of so many calls, how many were bad. */
export interface Counted {
  readonly bad: number;
  readonly of: number;
}

export interface RateBounds {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Bounds of the rate behind a count that hold at every moment at once: looked at after every call, or whenever it pleases,
 * the chance that the true rate ever leaves them is at most `miss`. So one may peek, and stop because of what one saw.
 *
 * They are a beta-binomial confidence sequence (Robbins 1970): a rate p is left out once the likelihood ratio of all other
 * rates, mixed with the weight Beta(½, ½), against p reaches 1 / miss. Under p that ratio is a martingale that starts at 1,
 * so by Ville's inequality it ever gets there with at most that chance. Only sums enter, so the size of a batch does not matter.
 */
export function rateBounds(counted: Counted, miss: number): RateBounds {
  return { lower: lowerBound(counted, miss), upper: upperBound(counted, miss) };
}

/** The lower one of {@link rateBounds}. */
export function lowerBound({ bad, of }: Counted, miss: number): number {
  return bad === 0 ? 0 : border({ bad, of }, -Math.log(miss), 0);
}

/** The upper one of {@link rateBounds}. */
export function upperBound({ bad, of }: Counted, miss: number): number {
  return bad === of ? 1 : border({ bad, of }, -Math.log(miss), 1);
}

/** Halvings until the border is known to 1e-15. */
const halvings = 50;

/** Between the observed rate, where the ratio is least, and the `end` of the line, where it is infinite, it grows all the way. */
function border({ bad, of }: Counted, logRatioMax: number, end: 0 | 1): number {
  const mixed = logBeta(bad + 0.5, of - bad + 0.5) - logBeta(0.5, 0.5);
  let inside = bad / of;
  let outside: number = end;
  for (let i = 0; i < halvings; i++) {
    const rate = (inside + outside) / 2;
    const logRatio = mixed - times(bad, Math.log(rate)) - times(of - bad, Math.log1p(-rate));
    if (logRatio < logRatioMax) inside = rate;
    else outside = rate;
  }
  return outside;
}

/** 0 × −∞ is 0 here: what never happened says nothing. */
function times(count: number, log: number): number {
  return count === 0 ? 0 : count * log;
}
