import { createHash } from "node:crypto";
import { operate } from "../../local/packages.ts";
import { absentInference, constantWorker, roomWorker } from "../bare-workers.ts";
import { type Measured, perRound, type Round } from "../compare.ts";
import { type Job, numberPlace } from "../load/job.ts";
import { type Aim, type Outcome, rowOf } from "../outcome.ts";
import { connections, type Plan } from "../plan.ts";
import { cpuUs } from "../process-figures.ts";
import { startWorkerd } from "../workerd.ts";
import { answerStore, builtWorker, objectWorker, scriptWorker, type WorkerPart } from "../workerd-config.ts";
import { askOnce, type World } from "../world.ts";
import { measureMemoryOfAnswers } from "./cache-memory.ts";

/** Equal calls at once, of which one asks the origin. */
const equalCalls = 100;
/** Calls of the side whose answers have to be put into KV first, in one round. */
const kvCallsPerRound = 300;
const path = "/v1/chat/completions";
/** Its calls wait for nobody: what a flight costs is what others pay more. */
const lonelyTenant = "lonely";
const adminKey = "bench-operator-of-no-use-elsewhere";

type Sent = Omit<Job, "seconds">;

/** A side that is asked something else in every round. */
interface Side {
  readonly name: string;
  readonly job: (round: number) => Sent;
}

/**
 * The ways of a chat through the answer cache, in turns: found in memory, found in KV, asked of the origin, and asked of it
 * once for a hundred; against a bare Worker that answers at once. Two gateways over one KV: what the first has kept is new to
 * the second.
 */
export async function measureCache(world: World, plan: Plan): Promise<Outcome> {
  const vars = { ...world.vars, ADMIN_KEY_HASH: createHash("sha256").update(adminKey).digest("hex") };
  const first = builtWorker("gateway", vars, true);
  const workerd = await startWorkerd([
    first,
    another(first),
    builtWorker("operator", vars, false),
    builtWorker("identity", world.identity, false),
    builtWorker("meter", {}, false),
    builtWorker("semantic", {}, false),
    builtWorker("dispatch", vars, false),
    scriptWorker("ledge-inference", absentInference, [], false),
    scriptWorker("constant", constantWorker, [], true),
    objectWorker("room", roomWorker, "ROOMS", "Room"),
    answerStore(),
  ]);
  try {
    const url = (name: string) => workerd.url(name) + path;
    const { headers } = world;
    const chat = { url: url(first.name), headers, body: body("asked"), connections, expect: [] };
    const constant = { ...chat, url: url("constant"), body: body("memory") };
    const answer = await askOnce({ ...chat, body: body("memory") });
    await askOnce({ ...constant, body: answer }, "PUT");
    await letFlyAlone(workerd.url(first.name));
    const lonely = await world.headersOf(lonelyTenant);
    const filled = { from: 0, times: 1, requestsMax: kvCallsPerRound * (plan.rateRounds + 1) };
    await world.generator.drive({ ...chat, body: body("kv"), series: filled, seconds: 600 });
    const measured = await rounds(world, workerd.pid, plan, [
      { name: "h  bare Worker, constant answer", job: () => constant },
      { name: "h  hit in memory", job: () => ({ ...chat, body: body("memory"), expect: [hit("memory")] }) },
      {
        name: "h  hit in KV",
        job: (round) => {
          const series = { from: round * kvCallsPerRound, times: 1, requestsMax: kvCallsPerRound };
          return { ...chat, url: url(`${first.name}-2`), body: body("kv"), series, expect: [hit("kv")] };
        },
      },
      {
        name: "h  asked anew and kept (no-cache)",
        job: (round) => {
          const anew = { ...headers, "Cache-Control": "no-cache" };
          return { ...chat, headers: anew, body: body("anew"), series: numbered(round), expect: [request] };
        },
      },
      {
        name: "h  miss, waits for nobody",
        job: (round) => ({ ...chat, headers: lonely, series: numbered(round), expect: [miss] }),
      },
      ...(["none", "call", "turn"] as const).map((kind) => ({
        name: `h  ${rooms[kind]}`,
        job: () => ({ ...constant, url: `${workerd.url("room")}/${kind}` }),
      })),
      { name: "h  miss", job: (round) => ({ ...chat, series: numbered(round), expect: [miss] }) },
      {
        name: `h  miss, ${equalCalls} equal at once`,
        job: (round) => {
          const series = { from: round * 1_000_000, times: equalCalls };
          return { ...chat, body: body("equal"), connections: equalCalls, series };
        },
      },
    ]);
    const aims = [...ratios(measured), ...costOfFlights(measured)];
    return { rows: measured.map(rowOf), aims, facts: measureMemoryOfAnswers(), rounds: measured };
  } finally {
    workerd.close();
  }
}

const rooms = {
  none: "bare Worker, asks nobody",
  call: "bare Worker, one call of a Durable Object",
  turn: "the same, which gives a stub that is called too",
} as const;

async function letFlyAlone(edge: string): Promise<void> {
  const policy = JSON.stringify({ collapse: "off" });
  const set = await operate({ edge, adminKey }, "PUT", `/admin/v1/tenants/${lonelyTenant}/cache`, policy);
  if (!set.ok) throw new Error(`the policy was refused: ${await set.text()}`);
}

const miss = "\r\ncache-status: ledge; fwd=miss; stored";
const request = "\r\ncache-status: ledge; fwd=request; stored";

/** Every call another one, in every round. */
function numbered(round: number) {
  return { from: round * 1_000_000, times: 1 };
}

function hit(layer: string): string {
  return `; detail=${layer}`;
}

/** A chat of a number; temperature 0, so that it is kept. */
function body(about: string): string {
  const messages = [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: `What news of ${about}, good sir? ${numberPlace}` },
  ];
  return JSON.stringify({ model: "tiny-chat", messages, max_tokens: 64, temperature: 0 });
}

/** The same Worker in an isolate of its own. */
function another({ name, definition, open }: WorkerPart): WorkerPart {
  return { name: `${name}-2`, open, definition: definition.replaceAll('uniqueKey = "', 'uniqueKey = "second-') };
}

/** As `compare` does it, with another job in every round, and fewer and longer ones; round 0 warms up. */
async function rounds({ generator }: World, pid: number, plan: Plan, sides: readonly Side[]): Promise<Measured[]> {
  const measured = sides.map(({ name }) => ({ name, rounds: [] as Round[] }));
  for (let round = 0; round <= plan.rateRounds; round++) {
    for (const [index, { job }] of sides.entries()) {
      const before = cpuUs(pid);
      const findings = await generator.drive({ ...job(round), seconds: plan.rateSeconds });
      if (round > 0) measured[index]?.rounds.push({ ...findings, cpuUs: (cpuUs(pid) - before) / findings.answers });
    }
  }
  return measured;
}

function ratios([bare, ...others]: readonly Measured[]): Aim[] {
  if (bare === undefined) return [];
  return others.map((ours) => {
    const { median, min, max } = perRound(ours, bare, (a, b) => a.cpuUs / b.cpuUs);
    const reached = `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
    return { name: `CPU time, ${ours.name.slice(3)} ÷ bare`, aim: "–", reached };
  });
}

/** What a miss costs for the company that it might have had, and what of that the platform's calls cost by themselves. */
function costOfFlights(measured: readonly Measured[]): Aim[] {
  const side = (name: string) => measured.find((one) => one.name === `h  ${name}`);
  const pairs = [
    ["the flight of a miss", side("miss"), side("miss, waits for nobody")],
    ["one bare call of a Durable Object", side(rooms.call), side(rooms.none)],
    ["the same and a call of the stub it gives", side(rooms.turn), side(rooms.none)],
  ] as const;
  return pairs.flatMap(([what, more, less]) => {
    if (more === undefined || less === undefined) return [];
    const { median, min, max } = perRound(more, less, (a, b) => a.cpuUs - b.cpuUs);
    const reached = `${median.toFixed(0)} µs (${min.toFixed(0)} to ${max.toFixed(0)})`;
    return { name: `CPU time of ${what}`, aim: "–", reached };
  });
}
