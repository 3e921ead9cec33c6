import { compare, type Measured, perRound } from "../compare.ts";
import type { Aim, Outcome } from "../outcome.ts";
import { rowOf } from "../outcome.ts";
import { connections, fixedRate, type Plan } from "../plan.ts";
import type { RunningWorkerd } from "../workerd.ts";
import { askOnce, prime, targetsOf, type World } from "../world.ts";

/** Ours against a bare Worker in the same workerd, as fast as both can. */

export async function measureHit(world: World, workerd: RunningWorkerd, plan: Plan): Promise<Outcome> {
  const targets = targetsOf(world, workerd);
  await prime(targets);
  const sides = [
    { name: "a  bare Worker, constant answer", job: { ...targets.constant, connections }, pid: workerd.pid },
    { name: "b  our cached hit, JWT and rate limit on", job: { ...targets.hit, connections }, pid: workerd.pid },
  ];
  const measured = await compare(world.generator, sides, plan);
  return outcomeOf(measured, ratioAims("(b) ÷ (a)", measured, 0.8));
}

export async function measureLatency(world: World, workerd: RunningWorkerd, plan: Plan): Promise<Outcome> {
  const targets = targetsOf(world, workerd);
  await prime(targets);
  const pace = { connections: fixedRate, rate: fixedRate };
  const sides = [
    { name: `a  bare Worker at ${fixedRate}/s`, job: { ...targets.constant, ...pace }, pid: workerd.pid },
    { name: `b  our cached hit at ${fixedRate}/s`, job: { ...targets.hit, ...pace }, pid: workerd.pid },
  ];
  const rhythm = { warmSeconds: plan.warmSeconds, rounds: plan.rateRounds, roundSeconds: plan.rateSeconds };
  const measured = await compare(world.generator, sides, rhythm);
  const [bare, ours] = measured;
  if (bare === undefined || ours === undefined) return outcomeOf(measured, []);
  const { median, min, max } = perRound(ours, bare, (b, a) => b.latencyMsMean - a.latencyMsMean);
  const aim: Aim = {
    name: `(b) − (a), mean latency at ${fixedRate}/s`,
    aim: "≤ 0.5 ms",
    reached: `${median.toFixed(2)} ms (${min.toFixed(2)} to ${max.toFixed(2)})`,
    met: median <= 0.5,
  };
  return outcomeOf(measured, [aim]);
}

export async function measureProxy(world: World, workerd: RunningWorkerd, plan: Plan): Promise<Outcome> {
  const targets = targetsOf(world, workerd);
  const { pid } = workerd;
  await askOnce(targets.chat);
  const sides = [
    { name: "c  bare Worker, proxied chat", job: { ...targets.proxy, connections }, pid },
    { name: "d  our uncached proxied chat", job: { ...targets.chat, connections }, pid },
    { name: "   the mock origin alone", job: { ...targets.origin, connections }, pid: Number.NaN },
  ];
  const measured = await compare(world.generator, sides, plan);
  return outcomeOf(measured, ratioAims("(d) ÷ (c)", measured, 0.9));
}

export async function measureStream(world: World, workerd: RunningWorkerd, plan: Plan): Promise<Outcome> {
  const targets = targetsOf(world, workerd);
  const { pid } = workerd;
  await askOnce(targets.chatStream);
  const sides = [
    { name: "c  bare Worker, streamed chat, 22 events", job: { ...targets.proxyStream, connections }, pid },
    { name: "d  our uncached streamed chat, 22 events", job: { ...targets.chatStream, connections }, pid },
  ];
  const measured = await compare(world.generator, sides, plan);
  return outcomeOf(measured, ratioAims("(d) ÷ (c), streamed", measured, 0.9));
}

/** Two ratios of the same rounds: by the clock, which is the aim, and by CPU time, which others' work disturbs less. */
function ratioAims(name: string, [bare, ours]: readonly Measured[], least: number): Aim[] {
  if (bare === undefined || ours === undefined) return [];
  const rate = perRound(ours, bare, (b, a) => b.requestsPerSecond / a.requestsPerSecond);
  const cpu = perRound(ours, bare, (b, a) => a.cpuUs / b.cpuUs);
  const spread = ({ median, min, max }: typeof rate) => `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  return [
    { name: `${name}, requests/s`, aim: `≥ ${least.toFixed(2)}`, reached: spread(rate), met: rate.median >= least },
    { name: `${name}, by CPU time`, aim: "–", reached: spread(cpu) },
  ];
}

export function outcomeOf(measured: readonly Measured[], aims: readonly Aim[]): Outcome {
  return { rows: measured.map(rowOf), aims, facts: [], rounds: measured };
}
