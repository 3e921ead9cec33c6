import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** A real server, started as its operator would start it. */
export interface EngineServerProcess {
  /** Where its ports are, by what is spoken there: `http://127.0.0.1:…`, `grpc://127.0.0.1:…`. */
  readonly http: string;
  readonly grpc: string;
  readonly child: ChildProcess;
  close(): Promise<void>;
}

export interface ServerCommand {
  readonly program: string;
  /** The arguments, given two ports that are free. */
  readonly args: (httpPort: number, grpcPort: number) => readonly string[];
  /** Answers 200 once the server is ready, under its HTTP address. */
  readonly readyPath: string;
  /** As the arguments. */
  readonly env?: (httpPort: number, grpcPort: number) => Readonly<Record<string, string>>;
  /** Milliseconds that it may take to start. */
  readonly startMsMax: number;
}

const pollMs = 200;
const logCharsMax = 10_000;
const killAfterMs = 10_000;

/** Starts a server and waits until it is ready. Throws with the end of its log when it does not start. */
export async function startServer(command: ServerCommand): Promise<EngineServerProcess> {
  const [httpPort, grpcPort] = await freePorts();
  const { program, args, env } = command;
  const child = spawn(program, args(httpPort, grpcPort), {
    env: { ...process.env, ...env?.(httpPort, grpcPort) },
    stdio: ["ignore", "pipe", "pipe"],
    // In a group of its own, so that the processes it starts end with it.
    detached: true,
  });
  let log = "";
  const take = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-logCharsMax);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const http = `http://127.0.0.1:${httpPort}`;
  const close = () => ended(child);
  try {
    await whenReady(child, http + command.readyPath, command.startMsMax, () => log);
  } catch (error) {
    await close();
    throw error;
  }
  return { http, grpc: `grpc://127.0.0.1:${grpcPort}`, child, close };
}

async function whenReady(child: ChildProcess, url: string, msMax: number, log: () => string): Promise<void> {
  const endMs = Date.now() + msMax;
  while (child.exitCode === null && Date.now() < endMs) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`${child.spawnfile} does not start:\n${log()}`);
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  if (child.exitCode !== null || child.signalCode !== null) return;
  signal(child, "SIGTERM");
  const timer = setTimeout(() => signal(child, "SIGKILL"), killAfterMs);
  await gone;
  clearTimeout(timer);
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch {
    // The group has ended by itself.
  }
}

/** Two ports that are free, and not the same. */
async function freePorts(): Promise<readonly [number, number]> {
  const probes = [createServer(), createServer()] as const;
  for (const probe of probes) {
    probe.listen(0, "127.0.0.1");
    await once(probe, "listening");
  }
  const [first, second] = probes.map((probe) => (probe.address() as AddressInfo).port);
  for (const probe of probes) probe.close();
  return [first ?? 0, second ?? 0];
}
