import { type Measured, medianOf, perRound, type Round } from "../compare.ts";
import type { Aim } from "../outcome.ts";
import type { Spread } from "../statistics.ts";

/**
 * Throughput is by the clock, as callers have it. CPU time beside it says nearly the same, since a Worker has one thread, and
 * other processes disturb it less; what is compared with a bare run is compared by that, without the hashing of features.
 *
 * @param measured batched and unbatched by all callers, one caller with and without the queue, bare runs of one row and of as
 * many as there are callers
 */
export function aimsOf(
  model: string,
  {
    callers,
    gain,
    hashed,
  }: { readonly callers: number; readonly gain: number; readonly hashed?: Measured | undefined },
  measured: readonly Measured[],
): Aim[] {
  const [batched, unbatched, lone, queueless, bareOne, bareMany] = measured;
  if (!batched || !unbatched || !lone || !queueless || !bareOne || !bareMany) return [];
  const p99 = [batched, unbatched].map((side) => medianOf(side, (round) => round.latencyMsP99));
  const [with99 = 0, without99 = 0] = p99;
  const all = `${callers} callers`;
  const cpu = (one: Round, other: Round) => one.cpuUs / other.cpuUs;
  const hashingUs = hashed === undefined ? 0 : medianOf(hashed, (round) => round.cpuUs);
  const path = (one: Round, other: Round) => (one.cpuUs - hashingUs) / other.cpuUs;
  const rate = (one: Round, other: Round) => one.requestsPerSecond / other.requestsPerSecond;
  const aims = [
    ratioOf(`throughput batched ÷ unbatched, ${all}`, perRound(batched, unbatched, rate), [">=", gain]),
    ratioOf(`CPU unbatched ÷ batched, ${all}`, perRound(unbatched, batched, cpu)),
    ratioOf(`bare session.run, CPU of a row alone ÷ of one in ${callers}`, perRound(bareOne, bareMany, cpu)),
    {
      name: `p99 batched against unbatched, ${all}`,
      aim: "no worse",
      reached: `${with99.toFixed(0)} ms against ${without99.toFixed(0)} ms`,
      met: with99 <= without99,
    },
    ratioOf("CPU of a lone call, with the queue ÷ without", perRound(lone, queueless, cpu)),
    ratioOf(`CPU of the whole path ÷ bare session.run, ${all}`, perRound(batched, bareMany, path), ["<=", 1.1]),
    ratioOf("CPU of the whole path ÷ bare session.run, one caller", perRound(lone, bareOne, path), ["<=", 1.1]),
  ];
  return aims.map((aim) => ({ ...aim, name: `(g) ${model}: ${aim.name}` }));
}

function ratioOf(name: string, { median, min, max }: Spread, aim?: readonly [">=" | "<=", number]): Aim {
  const reached = `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  if (aim === undefined) return { name, aim: "–", reached };
  const [sign, bound] = aim;
  const met = sign === ">=" ? median >= bound : median <= bound;
  return { name, aim: `${sign === ">=" ? "≥" : "≤"} ${bound}`, reached, met };
}

/**
 * The CPU time of a row of `intent` 2 as a share of the 6-layer transformer's.
 *
 * @param measured as for {@link aimsOf}, and the bare run of `intent` 2 last
 */
export function secondAim(tokens: number, measured: readonly Measured[]): Aim[] {
  const [sixLayers, second] = [measured[4], measured.at(-1)];
  if (!sixLayers || !second) return [];
  const spread = perRound(second, sixLayers, (one, other) => one.cpuUs / other.cpuUs);
  const what = `(g) CPU of intent 2 ÷ of the 6-layer transformer, ${tokens} tokens, 1 row`;
  return [ratioOf(what, spread, ["<=", 0.6])];
}
