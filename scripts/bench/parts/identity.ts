import { createHmac } from "node:crypto";
import { compare, type Measured, perRound } from "../compare.ts";
import { numberPlace } from "../load/job.ts";
import type { Aim, Outcome } from "../outcome.ts";
import { connections, type Plan } from "../plan.ts";
import { type RunningWorkerd, startWorkerd } from "../workerd.ts";
import { builtWorker, keyStore } from "../workerd-config.ts";
import { keyPepper, predictBody, type World } from "../world.ts";
import { outcomeOf } from "./throughput.ts";

/** What it costs to know who is calling. The answer itself is a hit in the isolate's memory each time. */

const manyKeys = 1_000_000;
/** Keys in use at one isolate. Each has a limit of its own, so it is compared with as many in use. */
const keysInUse = 100;
const tokensFirstSeen = 400;
const hashesAtOnce = 50_000;

/** As many characters as a key has after its prefix, a number at their end. */
const keyBody = "a".repeat(43 - numberPlace.length);
const keyOf = (number: number) => `ledge_${keyBody}${String(number).padStart(numberPlace.length, "0")}`;
const hashOf = (number: number) => createHmac("sha256", keyPepper).update(keyOf(number)).digest();

/** A hundred and a million known keys, each in a workerd of its own with the whole gateway. */
export async function measureIdentity(world: World, plan: Plan): Promise<Outcome> {
  const few = await startWith(world, keysInUse);
  const many = await startWith(world, manyKeys).catch((error: unknown) => {
    few.close();
    throw error;
  });
  try {
    return await measure(world, plan, few, many);
  } finally {
    few.close();
    many.close();
  }
}

async function startWith(world: World, keys: number): Promise<RunningWorkerd> {
  const workerd = await startWorkerd([
    builtWorker("gateway", world.vars, true),
    builtWorker("operator", world.vars, false),
    builtWorker("identity", world.identity, false),
    builtWorker("meter", {}, false),
    builtWorker("semantic", {}, false),
    builtWorker("dispatch", world.vars, false),
    builtWorker("inference", {}, false),
    keyStore(),
  ]);
  for (let from = 0; from < keys; from += hashesAtOnce) {
    const hashes = Array.from({ length: Math.min(hashesAtOnce, keys - from) }, (_, i) => hashOf(from + i));
    const stored = await fetch(`${workerd.url("kv")}/`, { method: "PUT", body: Buffer.concat(hashes) });
    await stored.arrayBuffer();
  }
  return workerd;
}

async function measure(world: World, plan: Plan, few: RunningWorkerd, many: RunningWorkerd): Promise<Outcome> {
  const bearers = (credentials: readonly string[]) => credentials.map((credential) => `Bearer ${credential}`);
  const target = ({ url }: RunningWorkerd) => ({
    url: `${url("ledge-gateway")}/v1/predict`,
    headers: { "Content-Type": "application/json" },
    body: predictBody,
    connections,
    expect: ["\r\ncache-status: ledge; hit"],
  });
  const using = (workerd: RunningWorkerd, keys: number, of: number) => ({
    ...target(workerd),
    credentials: { list: bearers(Array.from({ length: keys }, (_, i) => keyOf(Math.floor((i * of) / keys)))) },
  });
  const sides = [
    { name: "one key in use, a hundred known", job: using(few, 1, keysInUse), pid: few.pid },
    { name: "one key in use, a million known", job: using(many, 1, manyKeys), pid: many.pid },
    { name: "a hundred in use, a hundred known", job: using(few, keysInUse, keysInUse), pid: few.pid },
    { name: "a hundred in use, a million known", job: using(many, keysInUse, manyKeys), pid: many.pid },
    { name: "JWT seen before", job: { ...target(few), headers: world.headers }, pid: few.pid },
  ];
  await primed(target(few), keyOf(0));
  await primed(target(many), keyOf(0));
  const measured = await compare(world.generator, sides, plan);
  const [one, oneOfMany, hundred, hundredOfMany, token] = measured;
  const firstSeen = await firstTokens(world, target(few));
  const aims = [
    ...ratio("one key in use: a million known ÷ a hundred", oneOfMany, one, 0.9),
    ...ratio("a hundred in use: a million known ÷ a hundred", hundredOfMany, hundred, 0.9),
    ...ratio("JWT seen before ÷ API key", token, one),
  ];
  return { ...outcomeOf(measured, aims), facts: [firstSeen] };
}

function ratio(name: string, a: Measured | undefined, b: Measured | undefined, least?: number): readonly Aim[] {
  if (a === undefined || b === undefined) return [];
  const { median, min, max } = perRound(a, b, (mine, other) => mine.requestsPerSecond / other.requestsPerSecond);
  const reached = `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  const aim = least === undefined ? { aim: "–" } : { aim: `≥ ${least.toFixed(2)}`, met: median >= least };
  return [{ name: `${name}, requests/s`, reached, ...aim }];
}

interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function primed({ url, headers, body }: Asked, key: string): Promise<void> {
  for (let call = 0; call < 3; call++) {
    const answer = await fetch(url, { method: "POST", headers: { ...headers, Authorization: `Bearer ${key}` }, body });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`);
  }
}

/** Tokens that no isolate has seen, one after the other: each goes to the identity Worker. */
async function firstTokens(world: World, target: Asked & { readonly expect: readonly string[] }) {
  const list: string[] = [];
  for (let user = 0; user < tokensFirstSeen; user++) list.push(`Bearer ${await world.token(`user-${user}`)}`);
  const once = { ...target, connections: 1, seconds: 60 };
  const first = await world.generator.drive({ ...once, credentials: { list, once: true } });
  const again = await world.generator.drive({ ...once, credentials: { list, once: true } });
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  return {
    name: "JWT first seen, one after the other",
    value: `p50 ${ms(first.latencyMsP50)}, p99 ${ms(first.latencyMsP99)}; the same seen again p50 ${ms(again.latencyMsP50)}`,
  };
}
