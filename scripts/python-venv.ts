import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { alone } from "./alone.ts";
import { repoRoot } from "./repo.ts";

/** Python for what proves that somebody else's client or server works with ours. */

export const needsPython = "needs python3 (3.11 or later) with venv and pip, and a package index to fetch clients from";

/** Whether this machine has a Python for it. In CI one that is missing is a failure instead. */
export async function hasPython(): Promise<boolean> {
  const { code } = await run("python3", ["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"]);
  if (code !== 0 && process.env.CI) throw new Error(needsPython);
  return code === 0;
}

/**
 * An interpreter with the requirements in a file, made once under dist/, whoever asks meanwhile, and kept until the file changes. A file that is `whole`
 * names every package: nothing is added that they ask for. Throws with pip's words.
 */
export async function venvOf(requirements: string, { whole = false } = {}): Promise<string> {
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 16);
  const dir = join(repoRoot, "dist", "python", digest);
  const python = join(dir, "bin", "python");
  const done = join(dir, "complete");
  if (existsSync(done)) return python;
  mkdirSync(dirname(dir), { recursive: true });
  return await alone(`${dir}.lock`, async () => {
    if (existsSync(done)) return python;
    rmSync(dir, { recursive: true, force: true });
    await must("python3", ["-m", "venv", dir]);
    const options = ["--quiet", "--disable-pip-version-check", ...(whole ? ["--no-deps"] : [])];
    await must(python, ["-m", "pip", "install", ...options, "-r", requirements]);
    writeFileSync(done, "");
    return python;
  });
}

/** What a program writes on its standard output. Throws with what it writes on the other when it fails. */
export async function must(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, env);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("error", (error) => resolve({ code: -1, stdout, stderr: String(error) }));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
