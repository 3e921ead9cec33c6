import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { repoRoot } from "../repo.ts";

export interface OriginOptions {
  readonly port: number;
  readonly secret: string;
  /** More environment, over what this process has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its log lines and anything else it says. */
  readonly onLog?: (line: string) => void;
}

export interface RunningOrigin {
  readonly url: string;
  readonly pid: number;
  /** Resolves with the exit code when the process has ended. */
  readonly ended: Promise<number | null>;
  /** The latest lines it logged. */
  readonly logs: readonly string[];
  /** Asks it to finish what it has, and ends it when it does not. */
  close(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Stops and continues it, as a machine that hangs and comes back. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

const killAfterMs = 10_000;
const logLinesMax = 100;

/** Starts the origin as its own process and waits until its engines are loaded. Throws with what it said when it ends. */
export async function runOrigin(options: OriginOptions): Promise<RunningOrigin> {
  const entry = join(repoRoot, "origin", "src", "index.ts");
  if (!existsSync(entry)) throw new Error(`${entry} is missing: this checkout is not whole; clone it again.`);
  const child = spawn(process.execPath, [entry], {
    cwd: repoRoot,
    env: { ...process.env, PORT: String(options.port), ...options.env, ORIGIN_SECRET: options.secret },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const logs: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (logs.push(line) > logLinesMax) logs.shift();
    options.onLog?.(line);
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const url = await readyUrl(child, ended, logs);
  return {
    url,
    pid: child.pid ?? 0,
    ended,
    logs,
    close: () => end(child, ended, "SIGTERM"),
    kill: () => end(child, ended, "SIGKILL"),
    signal: (signal) => void child.kill(signal),
  };
}

async function readyUrl(child: ChildProcess, ended: Promise<number | null>, logs: readonly string[]): Promise<string> {
  const ready = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = urlOf(line);
      if (url !== undefined) resolve(url);
    });
  });
  const failed = ended.then((code) => {
    throw new Error(`The origin ended with code ${code} before it was ready: ${logs.join(" ")}`);
  });
  return await Promise.race([ready, failed]);
}

function urlOf(line: string): string | undefined {
  try {
    const { ready, url } = JSON.parse(line);
    return ready === true && typeof url === "string" ? url : undefined;
  } catch {
    return undefined;
  }
}

async function end(child: ChildProcess, ended: Promise<number | null>, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  await ended;
  clearTimeout(timer);
}
