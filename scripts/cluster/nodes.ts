import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { repoRoot } from "../repo.ts";

/** The two nodes of a local Ray cluster: two raylets with object stores of their own, on two addresses of this machine. */

const hosts = ["127.0.0.2", "127.0.0.3"] as const;
const objectStoreBytes = 104_857_600;
const startMsMax = 180_000;
const pollMs = 200;

export interface RayNodes {
  /** Where Ray is, as `ray.init` takes it. */
  readonly address: string;
  /** Holds Ray's files and the token; its name is in the arguments of every node. */
  readonly dir: string;
  /** One session each, by its number. */
  readonly sessions: readonly number[];
  /** Logical CPUs of each. */
  readonly cpus: number;
}

export interface NodeOptions {
  /** Interpreter of the environment that has Ray. */
  readonly python: string;
  /** A free port for the head. */
  readonly port: number;
  /** A free port for the dashboard, or none. */
  readonly dashboardPort: number | undefined;
  /** Logical CPUs of a node: each process of the model takes one. */
  readonly cpus: number;
}

/** What every process of the cluster, and whoever connects to it, has in its environment. */
export function rayEnv(dir: string): Readonly<Record<string, string>> {
  return {
    PYTHONPATH: join(repoRoot, "origin"),
    // Ray's own ports listen on every address of the machine. Whoever has not this token is refused there.
    RAY_AUTH_MODE: "token",
    RAY_AUTH_TOKEN_PATH: join(dir, "token"),
    RAY_USAGE_STATS_ENABLED: "0",
    GLOO_SOCKET_IFNAME: "lo",
    HF_HUB_OFFLINE: "1",
    TOKENIZERS_PARALLELISM: "false",
  };
}

/** Starts both nodes. `started` hears of each session as soon as it is there. Throws with a node's log when one ends. */
export async function startNodes(options: NodeOptions, started: (nodes: RayNodes) => void): Promise<RayNodes> {
  // Unix sockets lie in it, whose paths may have 107 bytes: so not under the repository.
  const dir = mkdtempSync(join(tmpdir(), "ledge-ray-"));
  mkdirSync(join(dir, "log"));
  writeFileSync(join(dir, "token"), randomBytes(32).toString("hex"), { mode: 0o600 });
  const nodes = { address: `${hosts[0]}:${options.port}`, dir, sessions: [] as number[], cpus: options.cpus };
  const { dashboardPort } = options;
  const dashboard =
    dashboardPort === undefined
      ? ["--include-dashboard=false"]
      : ["--include-dashboard=true", `--dashboard-port=${dashboardPort}`];
  const head = ["--head", `--node-ip-address=${hosts[0]}`, `--port=${options.port}`, `--temp-dir=${dir}`, ...dashboard];
  const second = [`--address=${nodes.address}`, `--node-ip-address=${hosts[1]}`];
  for (const [name, args] of [
    ["head", head],
    ["second", second],
  ] as const) {
    const node = startNode(name, args, options, dir);
    nodes.sessions.push(node.session);
    started(nodes);
    await node.ready();
  }
  return nodes;
}

function startNode(name: string, args: readonly string[], { python, cpus }: NodeOptions, dir: string) {
  const log = join(dir, "log", name);
  const out = openSync(log, "a");
  const child = spawn(
    join(python, "..", "ray"),
    [
      "start",
      "--block",
      ...args,
      `--labels=ledge=${basename(dir)}`,
      `--num-cpus=${cpus}`,
      `--object-store-memory=${objectStoreBytes}`,
      "--include-log-monitor=false",
      "--dashboard-agent-listen-port=0",
      "--disable-usage-stats",
    ],
    // In a session of its own, which everything that Ray starts stays in. It lives on when this process ends.
    { env: { ...process.env, ...rayEnv(dir) }, stdio: ["ignore", out, out], detached: true },
  );
  child.unref();
  closeSync(out);
  if (child.pid === undefined) throw new Error(`${child.spawnfile} is missing: remove dist/python and try again.`);
  return { session: child.pid, ready: () => whenStarted(child, log) };
}

async function whenStarted(child: ChildProcess, log: string): Promise<void> {
  const endMs = Date.now() + startMsMax;
  while (child.exitCode === null && child.signalCode === null && Date.now() < endMs) {
    if (existsSync(log) && readFileSync(log, "utf8").includes("Ray runtime started")) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`A node of Ray does not start:\n${readFileSync(log, "utf8")}`);
}
