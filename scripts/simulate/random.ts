/** A generator of numbers in [0, 1): the same seed gives the same numbers on every machine. */
export type Random = () => number;

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, enough for simulations of a few billion draws. */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many of `calls` come true with this chance each: exact, by leaping from one to the next. */
export function binomial(calls: number, chance: number, random: Random): number {
  if (chance <= 0 || calls <= 0) return 0;
  if (chance > 0.5) return calls - binomial(calls, 1 - chance, random);
  const logMiss = Math.log1p(-chance);
  let count = -1;
  for (let at = 0; at <= calls; count++) at += 1 + Math.floor(Math.log(1 - random()) / logMiss);
  return count;
}
