import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageManifest } from "@ledge/contract";
import { needsPython } from "../../python-venv.ts";
import { repoRoot } from "../../repo.ts";
import { type BatchResult, simulateBatching } from "../../simulate/batching.ts";
import { type Measured, medianOf, perRound, type Round } from "../compare.ts";
import type { Generator } from "../load/drive.ts";
import type { Findings, Job } from "../load/job.ts";
import { type Aim, type Fact, type Outcome, rowOf } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { treeCpuUs } from "../process-figures.ts";
import { type Contender, contenders, delayMs, type Graph, rowsMax, type Target } from "./batch-servers.ts";

/**
 * Batching at the origin, against the same without, Ray Serve's and Triton's: one graph, a row of 16 tokens a request in the same words
 * of the Open Inference Protocol, callers who ask again at once, and callers who come at random.
 */

const callers = [1, 8, 32, 64];
/** Of what the origin answers without batching: how many callers come at random. */
const loads = [0.5, 1];
/** Latencies that throughput is compared at. */
const p99Limits = [50, 100, 200];
const tokens = 16;
/** Each round starts every server anew. */
const roundsMax = 5;

/** What one server did, by the load that it was under. */
interface Side {
  readonly name: string;
  readonly closed: readonly Course[];
  readonly open: readonly Course[];
  rows: number;
  runs: number;
}
type Course = Measured & { readonly rounds: Round[] };

export async function measureBatch({ generator }: { readonly generator: Generator }, plan: Plan): Promise<Outcome> {
  const graph = graphOf("intent", "2");
  const all = await contenders(graph);
  const rate = await usualRate(generator, all, plan);
  const sides = all.map(({ name }) => sideOf(name, rate));
  const pairs = all.map((contender, at) => ({ contender, side: sides[at] ?? sideOf(contender.name, rate) }));
  for (let round = 0; round < Math.min(roundsMax, plan.rateRounds); round++) {
    const quiet = pairs.filter(({ contender }) => contender.isQuiet);
    // Nobody is always the first.
    const turned = quiet
      .map((_, at) => quiet[(at + round) % quiet.length] ?? quiet[0])
      .filter((one) => one !== undefined);
    await takeRound(generator, turned, rate, plan);
    for (const loud of pairs.filter(({ contender }) => !contender.isQuiet))
      await takeRound(generator, [loud], rate, plan);
  }
  const courses = sides.flatMap(({ closed, open }) => [...closed, ...open]);
  const model = `${graph.name}@${graph.version}, ${tokens} tokens a row; at most ${rowsMax} rows and ${delayMs} ms`;
  return {
    rows: courses.map(rowOf),
    aims: [...aimsOf(sides), ...simulated()],
    facts: [
      { name: "batching", value: model },
      ...(all.length > 2 ? [] : [{ name: "Ray Serve and Triton", value: `left out: ${needsPython}` }]),
      ...sides.filter(({ runs }) => runs > 0).map(({ name, rows, runs }) => factOf(name, rows / runs)),
    ],
    rounds: courses,
  };
}

async function withTarget<T>(start: () => Promise<Target>, work: (target: Target) => Promise<T>): Promise<T> {
  const target = await start();
  try {
    return await work(target);
  } finally {
    await target.close();
  }
}

/** What the origin answers without batching, requests a second. */
async function usualRate(generator: Generator, all: readonly Contender[], plan: Plan): Promise<number> {
  const [, off] = all;
  if (off === undefined) throw new Error("There is nothing to compare with.");
  const { requestsPerSecond } = await withTarget(off.start, async (target) => {
    await generator.drive({ ...jobOf(target, 8), seconds: plan.warmSeconds });
    return generator.drive({ ...jobOf(target, 8), seconds: plan.warmSeconds });
  });
  return requestsPerSecond;
}

function sideOf(name: string, rate: number): Side {
  const courseOf = (how: string): Course => ({ name: `k  ${name}, ${how}`, rounds: [] });
  const closed = callers.map((count) => courseOf(`${count} callers`));
  return {
    name,
    closed,
    open: loads.map((load) => courseOf(`at random, ${Math.round(load * rate)}/s`)),
    rows: 0,
    runs: 0,
  };
}

interface Pair {
  readonly contender: Contender;
  readonly side: Side;
}

/** Under each load they take turns, so that what else the machine does falls on all. */
async function takeRound(generator: Generator, pairs: readonly Pair[], rate: number, plan: Plan): Promise<void> {
  const running: { readonly target: Target; readonly side: Side }[] = [];
  try {
    for (const { contender, side } of pairs) running.push({ target: await contender.start(), side });
    for (const { target } of running) await generator.drive({ ...jobOf(target, 32), seconds: 2 * plan.warmSeconds });
    for (const [at, connections] of callers.entries()) {
      for (const { target, side } of running) {
        const before = await target.counts?.();
        const job = { ...jobOf(target, connections), seconds: plan.rateSeconds };
        side.closed[at]?.rounds.push(await measured(target, () => generator.drive(job)));
        const after = await target.counts?.();
        side.rows += (after?.rows ?? 0) - (before?.rows ?? 0);
        side.runs += (after?.runs ?? 0) - (before?.runs ?? 0);
      }
    }
    for (const [at, load] of loads.entries()) {
      for (const { target, side } of running) {
        const pace = { rate: load * rate, isPoisson: true };
        const job = { ...jobOf(target, openConnections), ...pace, seconds: plan.rateSeconds };
        side.open[at]?.rounds.push(await measured(target, () => generator.drive(job).catch(notKeptUp)));
      }
    }
  } finally {
    for (const { target } of running) await target.close();
  }
}

/** The most that may be under way of callers at random: whoever has more has not kept up. */
const openConnections = 200;

function notKeptUp(error: unknown): Findings {
  if (!String(error).includes("still in flight")) throw error;
  return nothing;
}

async function measured({ pid }: Target, drive: () => Promise<Findings>): Promise<Round> {
  const before = treeCpuUs(pid);
  const found = await drive();
  return { ...found, cpuUs: (treeCpuUs(pid) - before) / found.answers };
}

const nothing: Findings = {
  answers: 0,
  seconds: 0,
  requestsPerSecond: Number.NaN,
  latencyMsMean: Number.NaN,
  latencyMsP50: Number.NaN,
  latencyMsP99: Number.NaN,
  generatorCpuUs: Number.NaN,
};

function graphOf(name: string, version: string): Graph {
  const dir = join(repoRoot, "models", name, version);
  const manifest = packageManifest.parse(JSON.parse(readFileSync(join(dir, "model.json"), "utf8")));
  const [input, output] = [manifest.inputs[0]?.name ?? "", manifest.outputs[0]?.name ?? ""];
  return { name, version, path: join(dir, manifest.file.path), input, output };
}

/** The row's numbers are tokens of the model's; which ones makes no difference to what a run takes. */
function bodyOf(): string {
  const data = Array.from({ length: tokens }, (_, at) => 100 + at);
  const inputs = [{ name: "input_ids", shape: [1, tokens], datatype: "INT32", data }];
  return JSON.stringify({ inputs, parameters: { binary_data_output: true } });
}

function jobOf({ url, headers }: Target, connections: number): Omit<Job, "seconds"> {
  return { url, headers, body: bodyOf(), connections, expect: [] };
}

/** What a server answers a second with a p99 within a limit: of the numbers of callers the one that gives most, round by round. */
function within({ name, closed }: Side, limitMs: number): Measured {
  const rounds = (closed[0]?.rounds ?? []).map((first, at) => {
    const fitting = closed
      .flatMap(({ rounds }) => rounds[at] ?? [])
      .filter(({ latencyMsP99 }) => latencyMsP99 <= limitMs);
    const [best] = fitting.toSorted((a, b) => b.requestsPerSecond - a.requestsPerSecond);
    return best ?? { ...first, requestsPerSecond: 0 };
  });
  return { name, rounds };
}

function aimsOf([ours, ...others]: readonly Side[]): readonly Aim[] {
  if (ours === undefined) return [];
  return p99Limits.flatMap((limitMs) =>
    others.map((other): Aim => {
      const [mine, theirs] = [within(ours, limitMs), within(other, limitMs)];
      const perSecond = (round: Round) => round.requestsPerSecond;
      const both = `${medianOf(mine, perSecond).toFixed(0)} against ${medianOf(theirs, perSecond).toFixed(0)}`;
      const name = `requests/s at a p99 within ${limitMs} ms: the origin ÷ ${other.name}`;
      const isNever = [mine, theirs].every((one) => medianOf(one, perSecond) === 0);
      if (isNever) return { name, aim: "≥ 1", reached: "neither keeps within it" };
      const { median, min, max } = perRound(mine, theirs, (a, b) => perSecond(a) / perSecond(b));
      return {
        name,
        aim: "≥ 1",
        reached: `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)}); ${both}`,
        met: median >= 1,
      };
    }),
  );
}

/** Engines whose runs take so long whatever their rows, and so much longer with each, milliseconds. */
const engines = [
  ["5 ms a run and 0.05 a row, as on a GPU", 5, 0.05],
  ["0.5 ms a run and 1.2 a row, as a small transformer on a CPU", 0.5, 1.2],
  ["0.1 ms a run and 0.01 a row, as a small perceptron", 0.1, 0.01],
] as const;
const followed = { delayMsMax: delayMs, preferredRows: [] };

/** What the window gains, on virtual time: against no wait at all, and against one that is always taken. */
function simulated(): readonly Aim[] {
  return engines.flatMap(([name, runMs, rowMs]) =>
    [2, 8, 32].map((count): Aim => {
      const usual = { runMs, rowMs, callers: count, pauseMs: 0.3, calls: 6_000 };
      const [ours, none, always] = [
        followed,
        { ...followed, delayMsMax: 0 },
        { ...followed, preferredRows: [rowsMax] },
      ].map((rule) => simulateBatching({ ...usual, rule }));
      const text = (one: BatchResult | undefined) =>
        `${one?.callsPerSecond.toFixed(0)}/s, p99 ${one?.p99Ms.toFixed(1)} ms`;
      return {
        name: `virtual time, ${name}, ${count} callers`,
        aim: "–",
        reached: `${text(ours)}; no wait ${text(none)}; always ${delayMs} ms ${text(always)}`,
      };
    }),
  );
}

function factOf(name: string, rows: number): Fact {
  return { name: `rows a run, ${name}`, value: rows.toFixed(1) };
}
