/**
 * How much an entry is worth keeping: its uses, each fading with a half-life, so that the least worth goes first. It is kept as
 * one number that time does not change (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, 2009): a use at `t` weighs
 * 2^(t / half-life), and the worth is the logarithm of the sum. So a database can keep it in an index, and only a use writes.
 *
 * @param before what it was; absent when the entry is new
 * @param nowMs milliseconds since 1970
 */
export function worthAfterUse(before: number | undefined, nowMs: number, halfLifeMs: number): number {
  const now = nowMs / halfLifeMs;
  if (before === undefined) return now;
  return Math.max(before, now) + Math.log2(1 + 2 ** -Math.abs(before - now));
}
