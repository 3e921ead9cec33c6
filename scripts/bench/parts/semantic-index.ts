import { join } from "node:path";
import { buildVariant } from "../../edge/build.ts";
import { repoRoot } from "../../repo.ts";
import { compare, type Measured, medianOf, perRound, type Side } from "../compare.ts";
import { type Aim, type Fact, type Outcome, rowOf } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { cpuUs } from "../process-figures.ts";
import { quantile } from "../statistics.ts";
import { type RunningWorkerd, startWorkerd } from "../workerd.ts";
import { builtWorker } from "../workerd-config.ts";
import type { World } from "../world.ts";

/** Look-ups in semantic indexes of growing size (`inside/semantic-index/index.mjs`), with the way to them, and beside them a scan of everything. */

const sizesMax = [1_000, 10_000, 100_000] as const;
/** Divides every size. */
const filledAtOnce = 500;
/** There are many sides, and each round of each is a p99 of its own. */
const roundsMax = 9;
const worker = "ledge-semantic";
const wantedMs = 5;
const lookUps = [
  ["find", "look-up in the Durable Object"],
  ["ask", "look-up as the gateway asks, with the rules of words"],
] as const;

export async function measureSemanticIndex(world: World, plan: Plan): Promise<Outcome> {
  const entry = join(repoRoot, "scripts", "bench", "inside", "semantic-index", "index.mjs");
  const bundle = await buildVariant("semantic", entry, "inside-semantic");
  const sizes = plan.rounds > 3 ? sizesMax : sizesMax.slice(0, 2);
  const workerd = await startWorkerd([builtWorker("semantic", {}, true, bundle)]);
  try {
    const started = performance.now();
    for (let filled = 0; filled < Math.max(...sizes); filled += filledAtOnce) {
      await ask(workerd, { kind: "fill", sizes, count: filledAtOnce });
    }
    const fillMs = performance.now() - started;
    const sides = sizes.flatMap((size) => sidesOf(workerd, size));
    const measured = await compare(world.generator, sides, { ...plan, rounds: Math.min(plan.rounds, roundsMax) });
    const facts: Fact[] = [{ name: "h  all indexes filled", value: `${(fillMs / 1000).toFixed(0)} s` }];
    const aims: Aim[] = [];
    for (const [number, size] of sizes.entries()) {
      const [find, , hop, search, plain, exact] = measured.slice(6 * number, 6 * number + 6);
      if (!find || !hop || !search || !plain || !exact) continue;
      facts.push(await bytesOf(workerd, size));
      const name = `(h) ${size.toLocaleString("en")} entries`;
      aims.push(clockAim(name, find, hop));
      for (const [kind, what] of lookUps) {
        aims.push(cpuAim(`${name}: p99 of the CPU time of a ${what}`, await cpuOfLookUps(workerd, kind, size, plan)));
      }
      aims.push(timesSearch(name, search, plain, "in plain JavaScript"), timesSearch(name, search, exact, "exact"));
      aims.push(await recallAim(workerd, size, plan));
    }
    facts.push(await readBack(workerd, Math.max(...sizes)));
    return { rows: measured.map(rowOf), aims, facts, rounds: measured };
  } finally {
    workerd.close();
  }
}

/** In the order in which they are taken apart above. */
function sidesOf({ url, pid }: RunningWorkerd, size: number): readonly Side[] {
  return (
    [
      ...lookUps,
      ["hop", "the way to the object and back"],
      ["search", "search alone, in the asking isolate"],
      ["plain", "the same in plain JavaScript"],
      ["exact", "exact, every vector in single precision"],
    ] as const
  ).map(([kind, what]) => ({
    name: `h  ${size.toLocaleString("en")} entries, ${what}`,
    pid,
    job: { url: `${url(worker)}/`, headers: {}, body: JSON.stringify({ kind, size }), connections: 1, expect: [] },
  }));
}

function clockAim(name: string, find: Measured, hop: Measured): Aim {
  const p99 = medianOf(find, (round) => round.latencyMsP99);
  const way = medianOf(hop, (round) => round.latencyMsP99);
  return {
    name: `${name}: p99 of a look-up, HTTP and RPC included`,
    aim: `≤ ${wantedMs} ms`,
    reached: `${p99.toFixed(2)} ms (the way alone ${way.toFixed(2)})`,
    met: p99 <= wantedMs,
  };
}

/** @param cpuMs of single look-ups, ascending */
function cpuAim(name: string, cpuMs: readonly number[]): Aim {
  const [half, most] = [quantile(cpuMs, 0.5), quantile(cpuMs, 0.99)];
  const reached = `${most.toFixed(2)} ms (p50 ${half.toFixed(2)})`;
  return { name, aim: `≤ ${wantedMs} ms`, reached, met: most <= wantedMs };
}

function timesSearch(name: string, search: Measured, slow: Measured, what: string): Aim {
  const { median, min, max } = perRound(slow, search, (one, other) => one.cpuUs / other.cpuUs);
  const reached = `${median.toFixed(1)} (${min.toFixed(1)} to ${max.toFixed(1)})`;
  return { name: `${name}: CPU ${what} ÷ search alone, HTTP included`, aim: "–", reached };
}

/** What each of a few hundred look-ups, one after the other, costs workerd: other processes lengthen the clock's time, hardly this. */
async function cpuOfLookUps(
  workerd: RunningWorkerd,
  kind: string,
  size: number,
  plan: Plan,
): Promise<readonly number[]> {
  const costs: number[] = [];
  for (let asked = 0; asked < (plan.rounds > 3 ? 1_000 : 100); asked++) {
    const before = cpuUs(workerd.pid);
    await ask(workerd, { kind, size });
    costs.push((cpuUs(workerd.pid) - before) / 1000);
  }
  return costs.toSorted((a, b) => a - b);
}

async function recallAim(workerd: RunningWorkerd, size: number, plan: Plan): Promise<Aim> {
  const wanted = plan.rounds > 3 ? 500 : 50;
  let same = 0;
  const similarities: number[] = [];
  for (let asked = 0; asked < wanted; asked += 50) {
    const found = await ask<{ same: number; similarities: number[] }>(workerd, { kind: "recall", size, count: 50 });
    same += found.same;
    similarities.push(...found.similarities);
  }
  const sorted = similarities.toSorted((a, b) => a - b);
  const [low, middle, high] = [0.05, 0.5, 0.95].map((share) => quantile(sorted, share).toFixed(2));
  const name = `(h) ${size.toLocaleString("en")} entries: recall@1 (cosine of the nearest: ${low}, ${middle}, ${high})`;
  return { name, aim: "≥ 0.98", reached: `${(same / wanted).toFixed(3)} of ${wanted}`, met: same / wanted >= 0.98 };
}

async function bytesOf(workerd: RunningWorkerd, size: number): Promise<Fact> {
  const held = await ask<{ entries: number; bytes: number; diskBytes: number }>(workerd, { kind: "size", size });
  const each = (bytes: number) => `${(bytes / held.entries).toFixed(0)} bytes`;
  return {
    name: `h  ${size.toLocaleString("en")} entries, each`,
    value: `${each(held.bytes)} of memory, ${each(held.diskBytes)} on disk (float32 alone: ${384 * 4})`,
  };
}

/** How long an evicted object says that it is not ready, and how long a call to it takes meanwhile. */
async function readBack(workerd: RunningWorkerd, size: number): Promise<Fact> {
  await ask(workerd, { kind: "evict", size });
  const started = performance.now();
  const calls: number[] = [];
  for (let status = 503; status !== 200; ) {
    const from = performance.now();
    const response = await post(workerd, { kind: "find", size });
    status = response.status;
    if (status !== 200 && status !== 503)
      throw new Error(`an evicted index answered ${status}: ${await response.text()}`);
    await response.arrayBuffer();
    calls.push(performance.now() - from);
  }
  const readyMs = performance.now() - started;
  const sorted = calls.toSorted((a, b) => a - b);
  const value = `ready after ${readyMs.toFixed(0)} ms, under calls without a pause; a call took ${quantile(sorted, 0.5).toFixed(0)} ms, ${quantile(sorted, 1).toFixed(0)} at most`;
  return { name: `h  ${size.toLocaleString("en")} entries, read back after an eviction`, value };
}

function post({ url }: RunningWorkerd, asks: object): Promise<Response> {
  return fetch(`${url(worker)}/`, { method: "POST", body: JSON.stringify(asks) });
}

async function ask<T>(workerd: RunningWorkerd, asks: object): Promise<T> {
  const response = await post(workerd, asks);
  if (response.status !== 200) throw new Error(`The Worker answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
