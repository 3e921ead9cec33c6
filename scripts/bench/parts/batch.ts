import { readFileSync } from "node:fs";
import { join } from "node:path";
import { modelManifest } from "@ledge/contract";
import { needsPython } from "../../python-venv.ts";
import { repoRoot } from "../../repo.ts";
import { type Measured, medianOf, perRound, type Round } from "../compare.ts";
import type { Generator } from "../load/drive.ts";
import type { Job } from "../load/job.ts";
import { type Aim, type Fact, type Outcome, rowOf } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { treeCpuUs } from "../process-figures.ts";
import { spreadOf } from "../statistics.ts";
import {
  type Counts,
  delayMs,
  type Graph,
  originTarget,
  pythonTargets,
  rowsMax,
  type Target,
} from "./batch-servers.ts";

/**
 * Batching at the origin, against the same without, Ray Serve's and Triton's: one graph, a row of 16 tokens a request in the same words
 * of the Open Inference Protocol, callers who ask again at once, and callers who come at random.
 */

const callers = [1, 8, 32, 64];
/** Of the most that any answered: where the callers who come at random are kept. */
const loads = [0.5, 0.8];
/** Latencies that throughput is compared at. */
const p99Limits = [50, 100, 200];
const tokens = 16;

export async function measureBatch({ generator }: { readonly generator: Generator }, plan: Plan): Promise<Outcome> {
  const graph = graphOf("intent", "2");
  const targets: Target[] = [];
  try {
    targets.push(await originTarget(graph, true), await originTarget(graph, false));
    const others = await pythonTargets(graph);
    targets.push(...others);
    const before = await countsOf(targets);
    const closed = await closedLoop(generator, targets, plan);
    const after = await countsOf(targets);
    const most = Math.max(...closed.map(({ measured }) => medianOf(measured, (round) => round.requestsPerSecond)));
    const open = await openLoop(generator, targets, most, plan);
    const all = [...closed, ...open];
    return {
      rows: all.map(({ measured }) => rowOf(measured)),
      aims: aimsOf(closed, targets),
      facts: [
        {
          name: "model",
          value: `${graph.name}@${graph.version}, ${tokens} tokens a row, at most ${rowsMax} rows, ${delayMs} ms`,
        },
        ...(others.length === 0 ? [{ name: "Ray Serve and Triton", value: `left out: ${needsPython}` }] : []),
        ...targets.flatMap(({ name }) => sizeOf(name, before.get(name), after.get(name))),
      ],
      rounds: all.map(({ measured }) => measured),
    };
  } finally {
    await Promise.all(targets.map((target) => target.close()));
  }
}

function graphOf(name: string, version: string): Graph {
  const dir = join(repoRoot, "models", name, version);
  const manifest = modelManifest.parse(JSON.parse(readFileSync(join(dir, "model.json"), "utf8")));
  const [input, output] = [manifest.inputs[0]?.name ?? "", manifest.outputs[0]?.name ?? ""];
  return { name, version, path: join(dir, manifest.file.path), input, output };
}

/** The row's numbers are tokens of the model's; which ones makes no difference to what a run takes. */
function bodyOf(): string {
  const data = Array.from({ length: tokens }, (_, at) => 100 + at);
  const inputs = [{ name: "input_ids", shape: [1, tokens], datatype: "INT32", data }];
  return JSON.stringify({ inputs, parameters: { binary_data_output: true } });
}

interface Side {
  readonly target: Target;
  readonly measured: Measured & { readonly rounds: Round[] };
}

/** Each round asks every server in turn, at every number of callers. */
async function closedLoop(generator: Generator, targets: readonly Target[], plan: Plan): Promise<readonly Side[]> {
  const sides = callers.flatMap((connections) =>
    targets.map((target) => ({ ...sideOf(target, `${connections} callers`), job: jobOf(target, connections) })),
  );
  for (const { job } of sides) await generator.drive({ ...job, seconds: plan.warmSeconds / 2 });
  for (let round = 0; round < plan.rateRounds; round++) {
    for (const side of sides) await takeRound(generator, side, side.job, plan.rateSeconds / 1.5);
  }
  return sides;
}

async function openLoop(
  generator: Generator,
  targets: readonly Target[],
  most: number,
  plan: Plan,
): Promise<readonly Side[]> {
  const sides = loads.flatMap((load) =>
    targets.map((target) => {
      const rate = Math.round(most * load);
      const job = { ...jobOf(target, openConnections), rate, isPoisson: true };
      return { ...sideOf(target, `at random, ${rate}/s`), job };
    }),
  );
  for (let round = 0; round < plan.rateRounds; round++) {
    for (const side of sides) await takeRound(generator, side, side.job, plan.rateSeconds);
  }
  return sides;
}

/** The most that may be under way: who has more has not kept up. */
const openConnections = 200;

function sideOf(target: Target, how: string): Side {
  return { target, measured: { name: `k  ${target.name}, ${how}`, rounds: [] } };
}

function jobOf({ url, headers }: Target, connections: number): Omit<Job, "seconds"> {
  return { url, headers, body: bodyOf(), connections, expect: [] };
}

const nothing: Omit<Round, "cpuUs"> = {
  answers: 0,
  seconds: 0,
  requestsPerSecond: Number.NaN,
  latencyMsMean: Number.NaN,
  latencyMsP50: Number.NaN,
  latencyMsP99: Number.NaN,
  generatorCpuUs: Number.NaN,
};

/** One that does not keep up with a rate has no figures there. */
async function takeRound(generator: Generator, { target, measured }: Side, job: Omit<Job, "seconds">, seconds: number) {
  const before = treeCpuUs(target.pid);
  const found = await generator.drive({ ...job, seconds }).catch((error: unknown) => {
    if (job.rate === undefined || !String(error).includes("still in flight")) throw error;
    return nothing;
  });
  measured.rounds.push({ ...found, cpuUs: (treeCpuUs(target.pid) - before) / found.answers });
}

/** What a server answers a second with a p99 within a limit: of the numbers of callers the one that gives most, round by round. */
function within(sides: readonly Side[], target: Target, limitMs: number): Measured {
  const own = sides.filter((side) => side.target === target).map(({ measured }) => measured.rounds);
  const rounds = (own[0] ?? []).map((first, at) => {
    const fitting = own.flatMap((list) => list[at] ?? []).filter(({ latencyMsP99 }) => latencyMsP99 <= limitMs);
    return (
      fitting.toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond)[0] ?? { ...first, requestsPerSecond: 0 }
    );
  });
  return { name: target.name, rounds };
}

function aimsOf(sides: readonly Side[], [ours, off, ...others]: readonly Target[]): readonly Aim[] {
  if (ours === undefined || off === undefined) return [];
  return p99Limits.flatMap((limitMs) => {
    const mine = within(sides, ours, limitMs);
    return [off, ...others].map((other): Aim => {
      const theirs = within(sides, other, limitMs);
      const { median, min, max } = perRound(mine, theirs, (a, b) => a.requestsPerSecond / b.requestsPerSecond);
      const [own, their] = [mine, theirs].map(
        (one) => spreadOf(one.rounds.map((round) => round.requestsPerSecond)).median,
      );
      return {
        name: `requests/s at a p99 within ${limitMs} ms: the origin ÷ ${other.name}`,
        aim: "≥ 1",
        reached: `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)}); ${own?.toFixed(0)} against ${their?.toFixed(0)}`,
        met: median >= 1,
      };
    });
  });
}

async function countsOf(targets: readonly Target[]): Promise<ReadonlyMap<string, Counts>> {
  const counted = new Map<string, Counts>();
  for (const { name, counts } of targets) if (counts !== undefined) counted.set(name, await counts());
  return counted;
}

function sizeOf(name: string, before: Counts | undefined, after: Counts | undefined): readonly Fact[] {
  if (before === undefined || after === undefined) return [];
  const rows = (after.rows - before.rows) / (after.runs - before.runs);
  return [{ name: `rows a run, ${name}`, value: rows.toFixed(1) }];
}
