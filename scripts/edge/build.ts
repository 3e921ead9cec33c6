import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { repoRoot } from "../repo.ts";
import { sourceDigest } from "./sources.ts";

/** The Workers, in the order they are built; each folder under workers/ has its own wrangler.jsonc. */
export const workers = [
  "gateway",
  "operator",
  "identity",
  "meter",
  "semantic",
  "dispatch",
  "jobs",
  "inference",
] as const;
export type WorkerName = (typeof workers)[number];

export function configPath(worker: WorkerName): string {
  return join(repoRoot, "workers", worker, "wrangler.jsonc");
}

export function bundleDir(worker: WorkerName): string {
  return join(repoRoot, "dist", worker);
}

/** A bundle's own module: wrangler names it after the Worker's entry. Throws when the bundle is not built. */
export function bundleEntry(dir: string): string {
  const entry = readdirSync(dir).find((file) => file.endsWith(".js"));
  if (entry === undefined) throw new Error(`${dir} holds no bundle: build the Workers first.`);
  return join(dir, entry);
}

/**
 * Builds a Worker as `wrangler deploy` would, without deploying: what runs on a laptop and in tests is the bundle that
 * runs in production. One that was built from the same sources stays, which spares `npm start` most of its time. Throws
 * with wrangler's own output when the build fails.
 */
export async function buildWorker(worker: WorkerName, digest = sourceDigest(repoRoot)): Promise<void> {
  const dir = bundleDir(worker);
  const stamp = `${dir}.sha256`;
  if (existsSync(dir) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  rmSync(stamp, { force: true });
  await bundle(worker, [], dir);
  writeFileSync(stamp, digest);
}

/** The same Worker around another entry, for measuring it from inside. Returns where the bundle lies. */
export async function buildVariant(worker: WorkerName, entry: string, name: string): Promise<string> {
  const dir = join(repoRoot, "dist", name);
  await bundle(worker, [entry], dir);
  return dir;
}

async function bundle(worker: WorkerName, entry: readonly string[], outDir: string): Promise<void> {
  const wrangler = join(repoRoot, "node_modules", "wrangler", "bin", "wrangler.js");
  if (!existsSync(wrangler)) throw new Error("wrangler is not installed: run 'npm install' first.");
  const args = [wrangler, "deploy", ...entry, "--dry-run", "--outdir", outDir, "--config", configPath(worker)];
  const env = {
    ...process.env,
    // A Worker's own build command says `node` and needs this one.
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    DO_NOT_TRACK: "1",
    NO_COLOR: "1",
    WRANGLER_LOG_PATH: join(repoRoot, "dist", "logs"),
  };
  const { code, output } = await run(process.execPath, args, env);
  if (code !== 0) throw new Error(`The ${worker} Worker does not build:\n${output}`);
}

/** One after the other: on two cores two wranglers at once take as long and twice the memory. */
export async function buildWorkers(): Promise<void> {
  const digest = sourceDigest(repoRoot);
  for (const worker of workers) await buildWorker(worker, digest);
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn(command, args, { env, cwd: repoRoot, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}
