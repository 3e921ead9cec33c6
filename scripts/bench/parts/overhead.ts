import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type EngineServerProcess, startServer } from "../../engines/server.ts";
import { servers } from "../../engines/servers.ts";
import { type RunningOrigin, runOrigin } from "../../local/origin.ts";
import { hasPython, needsPython } from "../../python-venv.ts";
import { compare, type Measured, perRound, type Side } from "../compare.ts";
import type { Generator } from "../load/drive.ts";
import { firstTokenMs, type StreamTarget } from "../load/first-token.ts";
import { driveGrpc } from "../load/grpc.ts";
import type { Job } from "../load/job.ts";
import { type Aim, type Fact, type Outcome, rowOf } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { residentBytes } from "../process-figures.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { startWorkers, type World } from "../world.ts";

/** What the origin costs between a caller and an engine: the same request straight to the engine, in turns. */

const callersOf = [1, 8, 32, 128] as const;
const secret = "bench-secret-of-no-use-elsewhere";
/**
 * What engines take for each piece of text, of which an answer has twenty. The slow one is as a large model on a GPU is allowed to be:
 * 40 ms a token is the limit of the interactive scenario of MLPerf Inference for Llama 2 70B.
 */
const paces = [
  { model: "paced", pieceMs: 5 },
  { model: "interactive", pieceMs: 40 },
] as const;
/** Pieces of the text that the engines answer. */
const piecesPerAnswer = 20;
/** Of a lone caller in a round, at least. */
const answersPerRound = 4;
const streamsPerRound = 40;

interface Setup {
  readonly origin: RunningOrigin;
  readonly instantUrl: string;
  /** Of the engines of {@link paces}, in their order. */
  readonly paced: readonly Paced[];
  readonly kserve: EngineServerProcess | undefined;
}

interface Paced {
  readonly model: string;
  readonly pieceMs: number;
  readonly url: string;
}

export async function measureOverhead(world: World, plan: Plan): Promise<Outcome> {
  const closing: (() => unknown)[] = [];
  try {
    const setup = await start(world, closing);
    const before = residentBytes(setup.origin.pid);
    const outcomes: Outcome[] = [];
    for (const path of pathsOf(setup)) outcomes.push(await measurePath(world, plan, setup, path, closing));
    const first = await measureFirstToken(world, plan, setup, closing);
    const after = residentBytes(setup.origin.pid);
    const memory = {
      name: "resident memory of the origin",
      value: `${mib(before)} MiB started, ${mib(after)} MiB after all of this`,
    };
    const facts = [...first.facts, memory, ...(setup.kserve === undefined ? [withoutPython] : [])];
    return {
      rows: outcomes.flatMap(({ rows }) => rows),
      aims: [...outcomes.flatMap(({ aims }) => aims), ...first.aims],
      facts,
      rounds: outcomes.flatMap(({ rounds }) => rounds),
    };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

const withoutPython: Fact = { name: "KServe was not asked", value: `it ${needsPython}` };

async function start(world: World, closing: (() => unknown)[]): Promise<Setup> {
  const paced = await Promise.all(paces.map((pace) => startPaced(pace, closing)));
  const kserve = (await hasPython()) ? await startServer(await servers.kserve()) : undefined;
  if (kserve !== undefined) closing.push(() => kserve.close());
  const room = { runningMax: 256, waitingMax: 256 };
  const openai = (name: string, url: string) => ({ kind: "openai", url: `${url}/v1`, models: [{ name }], ...room });
  const oip = (name: string, url: string) => {
    return { kind: "oip", url, binary: true, models: [{ name, servedName: "pair" }], ...room };
  };
  const engines = [
    openai("instant", world.originUrl),
    ...paced.map(({ model, url }) => openai(model, url)),
    ...(kserve === undefined ? [] : [oip("by-rest", kserve.http), oip("by-grpc", kserve.grpc)]),
  ];
  const env = { MODELS: "none", ORIGIN_AUTH: "either", ENGINES: JSON.stringify(engines) };
  const origin = await runOrigin({ port: 0, secret, env });
  closing.push(() => origin.close());
  return { origin, instantUrl: world.originUrl, paced, kserve };
}

async function startPaced(pace: Omit<Paced, "url">, closing: (() => unknown)[]): Promise<Paced> {
  return { ...pace, ...(await startHelper("mock-origin.ts", String(pace.pieceMs), closing)) };
}

/** A process of this bench that says at which port it listens. */
async function startHelper(file: string, argument: string, closing: (() => unknown)[]) {
  const child = fork(fileURLToPath(new URL(`../${file}`, import.meta.url)), [argument]);
  closing.push(() => child.kill());
  const port = await new Promise<number>((resolve) => child.once("message", (said) => resolve(Number(said))));
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? Number.NaN };
}

/** One way to one engine. */
interface Path {
  readonly name: string;
  readonly direct: Omit<Job, "seconds" | "connections">;
  readonly ours: Omit<Job, "seconds" | "connections">;
  /** Whether the engine is one whose throughput can be lost: it takes time, as engines do. */
  readonly aimed: boolean;
  /** What the engine takes for an answer, if it is made to take time. */
  readonly answerMs: number;
  readonly callers: readonly number[];
}

function pathsOf({ origin, instantUrl, paced, kserve }: Setup): readonly Path[] {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${secret}` };
  const chat = (what: string, { model, pieceMs, url }: Paced, stream: boolean, callers: readonly number[]): Path => {
    const path = "/v1/chat/completions";
    const body = chatBody(model, stream);
    const sides = {
      direct: { url: url + path, headers, body, expect: [] },
      ours: { url: origin.url + path, headers, body, expect: [] },
    };
    const name = `chat, ${what}, ${stream ? "streamed" : "whole"}`;
    return { name, ...sides, aimed: pieceMs > 0, answerMs: piecesPerAnswer * pieceMs, callers };
  };
  const infer = (what: string, model: string, direct: string): Path => {
    const ours = `${origin.url}/v2/models/${model}/versions/1/infer`;
    const sides = {
      direct: { url: direct, headers, body: pairBody, expect: [] },
      ours: { url: ours, headers, body: pairBody, expect: [] },
    };
    return { name: `tensors, KServe by ${what}`, ...sides, aimed: true, answerMs: 0, callers: callersOf };
  };
  const instant = { model: "instant", pieceMs: 0, url: instantUrl };
  return [
    ...[false, true].map((stream) => chat("an engine that takes no time", instant, stream, callersOf)),
    ...paced.flatMap((engine) =>
      [false, true].map((stream) => chat(`an engine of ${engine.pieceMs} ms a piece`, engine, stream, [1, 32])),
    ),
    ...(kserve === undefined
      ? []
      : [infer("REST", "by-rest", `${kserve.http}/v2/models/pair/infer`), infer("gRPC", "by-grpc", kserve.grpc)]),
  ];
}

async function measurePath(
  world: World,
  plan: Plan,
  { origin }: Setup,
  path: Path,
  closing: (() => unknown)[],
): Promise<Outcome> {
  const isGrpc = path.direct.url.startsWith("grpc://");
  const both: Generator = {
    drive: (job) =>
      job.url.startsWith("grpc://")
        ? driveGrpc(job.url.slice("grpc://".length), pairMessage, job)
        : world.generator.drive(job),
    close: () => undefined,
  };
  const { origin: engine, pathname } = new URL(path.direct.url);
  const proxy = isGrpc ? undefined : await startHelper("bare-proxy.ts", engine, closing);
  const byProxy = { ...path.direct, url: `${proxy?.url}${pathname}` };
  // V8 compiles what has run some thousand times, which takes a lone caller longer than all its rounds.
  for (const job of [path.direct, path.ours, ...(isGrpc ? [] : [byProxy])]) {
    await both.drive({ ...job, connections: Math.max(...path.callers), seconds: plan.warmSeconds });
  }
  const all: Measured[] = [];
  const aims: Aim[] = [];
  for (const connections of path.callers) {
    const named = `${path.name}, ${connections === 1 ? "1 caller" : `${connections} callers`}`;
    const sides: Side[] = [
      { name: `${named}: the engine`, job: { ...path.direct, connections }, pid: Number.NaN },
      { name: `${named}: by the origin`, job: { ...path.ours, connections }, pid: origin.pid },
    ];
    if (connections === 1 && proxy !== undefined) {
      sides.push({ name: `${named}: by a bare proxy`, job: { ...byProxy, connections }, pid: proxy.pid });
    }
    const leastSeconds = connections === 1 ? (answersPerRound * path.answerMs) / 1000 : 0;
    const measured = await compare(both, sides, {
      warmSeconds: plan.warmSeconds / 3,
      rounds: plan.rateRounds,
      roundSeconds: Math.max(plan.roundSeconds, leastSeconds),
    });
    all.push(...measured);
    aims.push(...aimsOf(path, named, connections, measured));
  }
  return { rows: all.map(rowOf), aims, facts: [], rounds: all };
}

function aimsOf({ aimed }: Path, named: string, connections: number, measured: readonly Measured[]): Aim[] {
  const [engine, ours, proxy] = measured;
  if (engine === undefined || ours === undefined) return [];
  const addedBy = (side: Measured) => perRound(side, engine, (b, a) => b.latencyMsP50 - a.latencyMsP50);
  const told = ({ median, min, max }: Spread, unit = "") =>
    `${median.toFixed(2)}${unit} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  const added = addedBy(ours);
  const ratio = perRound(ours, engine, (b, a) => b.requestsPerSecond / a.requestsPerSecond);
  const least = proxy === undefined ? "" : `; a bare proxy ${told(addedBy(proxy), " ms")}`;
  return [
    connections === 1
      ? { name: `${named}: p50 added`, aim: "≤ 1 ms", reached: told(added, " ms") + least, met: added.median <= 1 }
      : { name: `${named}: p50 added`, aim: "–", reached: told(added, " ms") },
    aimed
      ? { name: `${named}: origin ÷ engine, requests/s`, aim: "≥ 0.90", reached: told(ratio), met: ratio.median >= 0.9 }
      : { name: `${named}: origin ÷ engine, requests/s`, aim: "–", reached: told(ratio) },
  ];
}

/** The first text of a stream: of the engine, by the origin, and by edge and origin. */
async function measureFirstToken(
  world: World,
  plan: Plan,
  { instantUrl }: Setup,
  closing: (() => unknown)[],
): Promise<{ readonly aims: readonly Aim[]; readonly facts: readonly Fact[] }> {
  // The edge knows the model by its registry: the mock engine takes any name, so the origin's is that of a shipped one.
  const engines = [{ kind: "openai", url: `${instantUrl}/v1`, models: [{ name: "tiny-chat" }] }];
  const env = { MODELS: "none", ORIGIN_AUTH: "either", ENGINES: JSON.stringify(engines) };
  const behind = await runOrigin({ port: 0, secret, env });
  closing.push(() => behind.close());
  const workerd = await startWorkers({
    ...world,
    vars: { ...world.vars, ORIGIN_URL: behind.url, ORIGIN_SECRET: secret },
  });
  closing.push(() => workerd.close());
  const path = "/v1/chat/completions";
  const direct = { "Content-Type": "application/json", Authorization: `Bearer ${secret}` };
  const target = (url: string, headers: Readonly<Record<string, string>>): StreamTarget => {
    return { url: url + path, headers, body: chatBody("tiny-chat", true) };
  };
  const sides = [
    target(instantUrl, direct),
    target(behind.url, direct),
    target(workerd.url("ledge-gateway"), world.headers),
  ];
  for (const side of sides) await firstTokenMs(side, streamsPerRound);
  const rounds: number[][] = [];
  for (let round = 0; round < plan.rateRounds; round++) {
    const medians: number[] = [];
    for (const side of sides) medians.push(spreadOf(await firstTokenMs(side, streamsPerRound)).median);
    rounds.push(medians);
  }
  const added = (side: number) => {
    const { median, min, max } = spreadOf(rounds.map((medians) => (medians[side] ?? 0) - (medians[0] ?? 0)));
    return `${median.toFixed(2)} ms (${min.toFixed(2)} to ${max.toFixed(2)})`;
  };
  const engine = spreadOf(rounds.map(([ms = 0]) => ms)).median.toFixed(2);
  return {
    aims: [
      { name: "first token of a stream, 1 caller: added by the origin", aim: "–", reached: added(1) },
      { name: "first token of a stream, 1 caller: added by edge and origin", aim: "–", reached: added(2) },
    ],
    facts: [{ name: "first token of the engine asked directly, p50", value: `${engine} ms` }],
  };
}

function chatBody(model: string, stream: boolean): string {
  const messages = [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: "What news, good sir?" },
  ];
  return JSON.stringify({ model, messages, max_tokens: 64, stream });
}

const row = [1, 2, 3, 4];
const inputsOf = (more: object) => ["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [1, 4], ...more }));
const pairBody = JSON.stringify({ id: "bench", inputs: inputsOf({ data: row }) });
/** The same as gRPC carries it. */
const pairMessage = {
  model_name: "pair",
  id: "bench",
  inputs: inputsOf({}),
  raw_input_contents: [Buffer.from(new Float32Array(row).buffer), Buffer.from(new Float32Array(row).buffer)],
};

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
