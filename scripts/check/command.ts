import { spawn } from "node:child_process";
import { join } from "node:path";
import { repoRoot } from "../repo.ts";

export interface CommandResult {
  /** 0 when it went well; 1 when a signal ended it. */
  readonly status: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** Runs a program in the repository's root (or `cwd`) and keeps what it says. Throws when it cannot be started. */
export function runCommand(command: string, args: readonly string[], cwd = repoRoot): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const wrangler = { WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: join(repoRoot, "dist", "logs") };
    const env = { ...process.env, ...wrangler, NO_COLOR: "1", DO_NOT_TRACK: "1" };
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}

/** A program that a package of this repository brought. */
export function installed(name: string): string {
  return join(repoRoot, "node_modules", ".bin", name);
}
