import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Fact, Outcome } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import { spreadOf } from "../statistics.ts";
import { startWorkerd } from "../workerd.ts";
import { builtWorker } from "../workerd-config.ts";
import { askOnce, predictBody, type World } from "../world.ts";

/** How long the first caller of a fresh process waits. Its token is verified for the first time too: a key set is fetched. */
export async function measureCold(world: World, plan: Plan): Promise<Outcome> {
  const bare: [number, number][] = [];
  const miniflare: number[] = [];
  for (let start = 0; start < plan.coldStarts; start++) {
    bare.push(await coldWorkerd(world));
    miniflare.push(await coldMiniflare(world));
  }
  const fact = (name: string, ms: readonly number[]): Fact => {
    const { median, min, max } = spreadOf(ms);
    return { name, value: `${median.toFixed(0)} ms (${min.toFixed(0)} to ${max.toFixed(0)}, ${ms.length} starts)` };
  };
  const facts = [
    fact(
      "f  workerd spawned → first classification",
      bare.map(([total]) => total),
    ),
    fact(
      "f  workerd listens → first classification",
      bare.map(([, afterReady]) => afterReady),
    ),
    fact("f  Node with Miniflare spawned → first classification", miniflare),
  ];
  return { rows: [], aims: [], facts, rounds: [] };
}

/** Milliseconds from the spawn, and from when the sockets listen, to the first answer. */
async function coldWorkerd(world: World): Promise<[number, number]> {
  const workerd = await startWorkerd([
    builtWorker("gateway", world.vars, true),
    builtWorker("operator", world.vars, false),
    builtWorker("identity", world.identity, false),
    builtWorker("meter", {}, false),
    builtWorker("semantic", {}, false),
    builtWorker("dispatch", world.vars, false),
    builtWorker("inference", {}, false),
  ]);
  try {
    const startedMs = performance.now();
    await firstAnswer(workerd.url("ledge-gateway"), world);
    const answeredMs = performance.now() - startedMs;
    return [workerd.readyMs + answeredMs, answeredMs];
  } finally {
    workerd.close();
  }
}

/** The same as `npm start` starts the edge: a Node process that starts Miniflare that starts workerd. */
async function coldMiniflare(world: World): Promise<number> {
  const startedMs = performance.now();
  const child = fork(fileURLToPath(new URL("cold-miniflare.ts", import.meta.url)), { stdio: "inherit" });
  const ended = new Promise<never>((_resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`Miniflare's process ended with ${code}`)));
  });
  try {
    const url = new Promise<string>((resolve) => child.once("message", (message) => resolve(String(message))));
    child.send({ vars: world.vars, identity: world.identity });
    await firstAnswer(await Promise.race([url, ended]), world);
    return performance.now() - startedMs;
  } finally {
    ended.catch(() => undefined);
    child.disconnect();
    await new Promise((resolve) => child.once("exit", resolve));
  }
}

async function firstAnswer(url: string, { headers }: World): Promise<void> {
  await askOnce({ url: `${url}/v1/predict`, headers, body: predictBody, expect: [] });
}
