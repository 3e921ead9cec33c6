/** Numbers in [0, 1). */
export type Random = () => number;

/** splitmix32: small, good enough to draw tokens, and the same on every machine for the same seed. */
export function seededRandom(seed: number): Random {
  // A seed is any integer JSON can hold: fold its upper bits in instead of dropping them.
  let state = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/**
 * Draws a token id from logits. `temperature` 0 takes the likeliest (the lowest id of equals); `topP` below 1 keeps
 * the smallest set of likeliest tokens whose probabilities reach it.
 */
export function drawToken(logits: Float32Array, temperature: number, topP: number, random: Random): number {
  const best = likeliest(logits);
  if (temperature === 0) return best;
  const weights = new Float64Array(logits.length);
  const top = logits[best] ?? 0;
  let total = 0;
  for (let id = 0; id < logits.length; id++) {
    const weight = Math.exp(((logits[id] ?? 0) - top) / temperature);
    weights[id] = weight;
    total += weight;
  }
  return topP < 1 ? drawFromNucleus(weights, total, topP, random) : drawFrom(weights.keys(), weights, total * random());
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if ((logits[id] ?? 0) > (logits[best] ?? 0)) best = id;
  return best;
}

function drawFromNucleus(weights: Float64Array, total: number, topP: number, random: Random): number {
  // A token below this weight cannot be in the nucleus: all of them together weigh less than what is cut off.
  const floor = ((1 - topP) * total) / weights.length;
  const order = [...weights.keys()].filter((id) => (weights[id] ?? 0) >= floor);
  order.sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  let kept = 0;
  let count = 0;
  while (count < order.length && kept < topP * total) kept += weights[order[count++] ?? 0] ?? 0;
  return drawFrom(order.slice(0, count).values(), weights, kept * random());
}

function drawFrom(ids: Iterable<number>, weights: Float64Array, target: number): number {
  let sum = 0;
  let last = 0;
  for (const id of ids) {
    const weight = weights[id] ?? 0;
    if (weight === 0) continue;
    sum += weight;
    last = id;
    if (sum > target) return id;
  }
  return last;
}
