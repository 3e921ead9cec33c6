import { existsSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../local/port.ts";
import { hasPython, needsPython } from "../python-venv.ts";
import { repoRoot } from "../repo.ts";
import { startCluster, stopCluster } from "./cluster.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { type ClusterSettings, enginesOf } from "./settings.ts";

/** `npm run cluster`: see {@link usage}. Resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options.help) say(usage);
    else await (options.verb === "stop" ? stop() : start(options));
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

const stateDir = join(repoRoot, "dist", "cluster");

async function start(options: Options): Promise<void> {
  if (process.platform !== "linux")
    throw new Error("A cluster on one machine needs Linux: Ray starts no second node elsewhere.");
  if (!(await hasPython())) throw new Error(`The cluster ${needsPython}.`);
  if (!existsSync(join(options.model, "config.json")))
    throw new Error(`${options.model} holds no config.json: name a model in Hugging Face's form with --model DIR.`);
  const dashboardPort = options.dashboard ? await freePort(8265, "--dashboard") : undefined;
  const cluster = await startCluster({
    stateDir,
    port: options.port,
    rayPort: await freePort(0, "--port"),
    ...(dashboardPort === undefined ? {} : { dashboardPort }),
    settings: settingsOf(options),
    step,
  });
  say(`\nIt answers at ${cluster.url}/v1. For the origin, engines.json:\n`);
  say(JSON.stringify(enginesOf(cluster.url, options.name), null, 2));
  say("\n'npm run cluster -- stop' ends it.");
}

async function stop(): Promise<void> {
  say((await stopCluster(stateDir)) ? "The cluster has ended." : "There is no cluster of this checkout.");
}

/** On as many nodes as there are processes each has one of its own, as on two machines. */
function settingsOf({ name, model, tensor, pipeline, replicas, idleS }: Options): ClusterSettings {
  return {
    model_name: name,
    model_source: model,
    tensor_parallel_size: tensor,
    pipeline_parallel_size: pipeline,
    placement: tensor * pipeline === 2 ? "STRICT_SPREAD" : "PACK",
    max_replicas: replicas,
    idle_s: idleS,
  };
}

async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  process.stdout.write(`${name} … `);
  const made = await run().catch((error: unknown) => {
    say("failed");
    throw error;
  });
  say(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return made;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
