import { sumOfExponentials } from "./exponential.ts";

/**
 * Softmax of one row of logits, in doubles, as the probability of each class. Only what is asked for is worked out: a caller
 * wants five of hundreds.
 *
 * @returns a function from a class to its probability, 0 to 1; over all classes they sum to 1 but for rounding
 */
export function softmax(logits: Float32Array): (index: number) => number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < logits.length; at++) {
    const logit = logits[at] ?? highest;
    if (logit > highest) highest = logit;
  }
  const sum = sumOfExponentials(logits, highest);
  return (index) => Math.exp((logits[index] ?? Number.NEGATIVE_INFINITY) - highest) / sum;
}

/**
 * Indices of the `k` largest values, best first. Equal values keep the order of their indices, so that every tier
 * names the same label. Asking for more than there are gives all.
 */
export function topIndices(values: Float32Array, k: number): Int32Array {
  const best = new Int32Array(Math.min(k, values.length));
  let held = 0;
  /** The worst of the best, once there are enough of them: most values are compared with nothing else. */
  let bound = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? Number.NEGATIVE_INFINITY;
    if (held === best.length && value <= bound) continue;
    let place = held < best.length ? held++ : held - 1;
    while (place > 0 && at(values, best[place - 1]) < value) {
      best[place] = best[place - 1] ?? 0;
      place--;
    }
    best[place] = index;
    if (held === best.length) bound = at(values, best[held - 1]);
  }
  return best;
}

function at(values: Float32Array, index: number | undefined): number {
  return values[index ?? 0] ?? Number.NEGATIVE_INFINITY;
}
