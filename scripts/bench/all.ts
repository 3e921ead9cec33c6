import { writeFileSync } from "node:fs";
import { buildWorkers } from "../edge/build.ts";
import { readMachine } from "./machine.ts";
import { help, type Options, type PartName, readOptions } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import { measureBatch } from "./parts/batch.ts";
import { measureBatching } from "./parts/batching.ts";
import { measureCache } from "./parts/cache.ts";
import { measureClassify } from "./parts/classify.ts";
import { measureCold } from "./parts/cold.ts";
import { measureFairness } from "./parts/fairness.ts";
import { measureIdentity } from "./parts/identity.ts";
import { measureLimits } from "./parts/limits.ts";
import { measureMemory } from "./parts/memory.ts";
import { measureOverhead } from "./parts/overhead.ts";
import { writeProfiles } from "./parts/profile.ts";
import { measureSemanticHit } from "./parts/semantic-hit.ts";
import { measureSemanticIndex } from "./parts/semantic-index.ts";
import { measureHit, measureLatency, measureProxy, measureStream } from "./parts/throughput.ts";
import { fullPlan, type Plan, quickPlan } from "./plan.ts";
import { reportText } from "./report.ts";
import type { RunningWorkerd } from "./workerd.ts";
import { startWorkers, startWorld, type World } from "./world.ts";

/** `npm run bench`: see docs/benchmarks.md for what is measured and why so. */

const say = (line: string) => process.stderr.write(`${line}\n`);

/** Parts that share one workerd, in this order; the others start their own. */
const shared: Partial<Record<PartName, (world: World, workerd: RunningWorkerd, plan: Plan) => Promise<Outcome>>> = {
  hit: measureHit,
  latency: measureLatency,
  proxy: measureProxy,
  stream: measureStream,
  classify: measureClassify,
};

async function measure(world: World, plan: Plan, only: readonly PartName[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const together = Object.entries(shared).filter(([name]) => only.some((wanted) => wanted === name));
  if (together.length > 0) {
    const workerd = await startWorkers(world);
    try {
      for (const [name, part] of together) {
        say(`Measuring: ${name} …`);
        outcomes.push(await part(world, workerd, plan));
      }
    } finally {
      workerd.close();
    }
  }
  for (const [name, part] of [
    ["identity", measureIdentity],
    ["fairness", async () => measureFairness()],
    ["cache", measureCache],
    ["batching", (_world: World, plan: Plan) => measureBatching(plan)],
    ["batch", measureBatch],
    ["semantic-hit", measureSemanticHit],
    ["semantic-index", measureSemanticIndex],
    ["limits", measureLimits],
    ["overhead", measureOverhead],
    ["cold", measureCold],
    ["memory", measureMemory],
  ] as const) {
    if (!only.includes(name)) continue;
    say(`Measuring: ${name} …`);
    outcomes.push(await part(world, plan));
  }
  return outcomes;
}

async function bench(options: Options): Promise<void> {
  const machine = readMachine();
  if (options.build) {
    say("Building the Workers …");
    await buildWorkers();
  }
  const world = await startWorld();
  try {
    if (options.profile !== undefined) {
      say("Profiling the gateway …");
      console.log(await writeProfiles(world, options.profile));
      return;
    }
    const outcomes = await measure(world, options.quick ? quickPlan : fullPlan, options.only);
    const all: Outcome = {
      rows: outcomes.flatMap(({ rows }) => rows),
      aims: outcomes.flatMap(({ aims }) => aims),
      facts: outcomes.flatMap(({ facts }) => facts),
      rounds: outcomes.flatMap(({ rounds }) => rounds),
    };
    console.log(reportText(machine, all));
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ machine, ...all }, null, 2)}\n`);
  } finally {
    world.close();
  }
}

// What was started is ended by 'exit' handlers, so a signal only has to become an exit.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(help);
  else await bench(options);
} catch (error) {
  say(`npm run bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
