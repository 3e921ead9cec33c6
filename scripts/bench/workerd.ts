import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type WorkerPart, workerdConfig } from "./workerd-config.ts";

export interface RunningWorkerd {
  readonly pid: number;
  /** Milliseconds from spawning the process until all its sockets listened. */
  readonly readyMs: number;
  /** The address of an open Worker, without a trailing slash. */
  url(worker: string): string;
  close(): void;
}

export interface WorkerdOptions {
  /** Opens V8's inspector on this port of 127.0.0.1. */
  readonly inspectorPort?: number;
  /** What the bucket holds, by key. */
  readonly blobs?: Readonly<Record<string, Uint8Array | string>>;
}

/** The path of the binary for this machine, as miniflare finds it. */
const binary: string = createRequire(import.meta.url)("workerd").default;
const startTimeoutMs = 30_000;

/** Starts workerd with these Workers, in a directory of its own that goes with it. Throws what it said when it ended. */
export async function startWorkerd(
  parts: readonly WorkerPart[],
  options: WorkerdOptions = {},
): Promise<RunningWorkerd> {
  const dir = mkdtempSync(join(tmpdir(), "ledge-bench-"));
  const config = join(dir, "config.capnp");
  writeFileSync(config, workerdConfig(parts, dir));
  mkdirSync(join(dir, "bucket", "blobs"), { recursive: true });
  for (const [key, bytes] of Object.entries(options.blobs ?? {})) writeFileSync(join(dir, "bucket", key), bytes);
  const inspector = options.inspectorPort === undefined ? [] : [`--inspector-addr=127.0.0.1:${options.inspectorPort}`];
  // --experimental as Miniflare has it; the import path lets the configuration embed the bundles where they lie.
  const args = ["serve", "--experimental", "--import-path=/", ...inspector, "--control-fd=3", config];
  const startedMs = performance.now();
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const close = () => {
    process.off("exit", close);
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  };
  process.once("exit", close);
  try {
    const ports = await listening(child, parts.filter((part) => part.open).length);
    const readyMs = performance.now() - startedMs;
    const url = (worker: string) => `http://127.0.0.1:${ports.get(worker)}`;
    return { pid: child.pid ?? 0, readyMs, url, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads on the control pipe which socket listens where, until `sockets` do. */
function listening(child: ChildProcess, sockets: number): Promise<ReadonlyMap<string, number>> {
  let said = "";
  for (const output of [child.stdout, child.stderr]) {
    output?.on("data", (data: Buffer) => {
      said = (said + data.toString()).slice(-4_000);
    });
  }
  return new Promise((resolve, reject) => {
    const ports = new Map<string, number>();
    const late = setTimeout(() => reject(new Error(`workerd did not start in time:\n${said}`)), startTimeoutMs);
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`workerd ended with ${code}:\n${said}`)));
    createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
      const event: { readonly event: string; readonly socket?: string; readonly port?: number } = JSON.parse(line);
      if (event.event === "listen" && event.socket !== undefined && event.port !== undefined)
        ports.set(event.socket, event.port);
      if (ports.size < sockets) return;
      clearTimeout(late);
      resolve(ports);
    });
  });
}
