import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { must, venvOf } from "../python-venv.ts";
import { repoRoot } from "../repo.ts";
import { type RayNodes, rayEnv, startNodes } from "./nodes.ts";
import { endSessions, sessionsAlive } from "./sessions.ts";
import type { ClusterSettings } from "./settings.ts";

/** A local cluster of two nodes that serves a model split over processes of both. */

export interface ClusterOptions {
  /** Where is written down what runs; one folder, one cluster. */
  readonly stateDir: string;
  /** Of the API, on 127.0.0.1. */
  readonly port: number;
  /** Ports for Ray, which are free. */
  readonly rayPort: number;
  readonly dashboardPort?: number;
  readonly settings: ClusterSettings;
  /** Runs a step under its name, which is told to whoever waits. */
  readonly step: <T>(name: string, run: () => Promise<T>) => Promise<T>;
}

export interface RunningCluster extends RayNodes {
  /** Where the API is, without a trailing slash. */
  readonly url: string;
}

interface State extends RunningCluster {
  /** Absent until they are deployed. */
  readonly settings?: ClusterSettings;
}

/** The Python packages of origin/cluster. */
export const requirements = join(repoRoot, "origin", "cluster", "requirements.txt");

/**
 * Starts the cluster, or takes the one that runs, and deploys the settings when they are not what it serves. Throws with the words
 * of pip or Ray.
 */
export async function startCluster(options: ClusterOptions): Promise<RunningCluster> {
  const { stateDir, port, settings, step } = options;
  const url = `http://127.0.0.1:${port}`;
  const python = await step("Python packages (some gigabytes, the first time)", () => venvOf(requirements));
  const running = (await runningIn(options, url)) ?? (await startAnew(options, python, url));
  const { settings: deployed, ...cluster } = running;
  if (JSON.stringify(deployed) !== JSON.stringify(settings)) {
    const args = [cluster.address, String(cluster.sessions.length), String(port), JSON.stringify(settings)];
    await step(`the model ${settings.model_name}`, () =>
      must(python, ["-m", "cluster.deploy", ...args], rayEnv(cluster.dir)),
    );
    write(stateDir, { ...cluster, settings });
  }
  return cluster;
}

async function startAnew(options: ClusterOptions, python: string, url: string): Promise<State> {
  const { stateDir, rayPort: port, dashboardPort, settings, step } = options;
  // What is left of one that lost a node, was not deployed to its end, or listens elsewhere.
  await stopCluster(stateDir);
  const started = (nodes: RayNodes) => write(stateDir, { ...nodes, url });
  const cpus = cpusOf(settings);
  const nodes = await step("two Ray nodes", () => startNodes({ python, port, dashboardPort, cpus }, started));
  return { ...nodes, url };
}

/** Logical CPUs of each node, so that all replicas have their places: half of their processes, or all of one replica's. */
function cpusOf(settings: ClusterSettings): number {
  const processes = (settings.tensor_parallel_size ?? 1) * (settings.pipeline_parallel_size ?? 1);
  return Math.ceil(processes / 2) * (settings.max_replicas ?? 1);
}

/** Ends what a cluster started, and nothing else. Says whether there was one. */
export async function stopCluster(stateDir: string): Promise<boolean> {
  const state = read(stateDir);
  if (state === undefined) return false;
  await endSessions(state.sessions, basename(state.dir));
  rmSync(state.dir, { recursive: true, force: true });
  rmSync(join(stateDir, "state.json"));
  return true;
}

/** The cluster that is written down, if both of its nodes live, have room, and its API answers under the address. */
async function runningIn({ stateDir, settings }: ClusterOptions, url: string): Promise<State | undefined> {
  const state = read(stateDir);
  if (
    state?.url !== url ||
    state.cpus < cpusOf(settings) ||
    sessionsAlive(state.sessions, basename(state.dir)).length < 2
  )
    return undefined;
  const answer = await fetch(`${url}/v1/models`).catch(() => undefined);
  return answer?.ok === true ? state : undefined;
}

function read(stateDir: string): State | undefined {
  const path = join(stateDir, "state.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

function write(stateDir: string, state: State): void {
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(join(stateDir, "state.json"), JSON.stringify(state));
}
