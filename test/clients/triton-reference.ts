import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pythonWith } from "./python.ts";
import { exercise, type Seen, tritonScripts } from "./triton-exercise.ts";

const startMsMax = 120_000;

/** Runs the script against Triton's own server, from the wheel of nvidia-pytriton. Throws when it does not start. */
export async function exerciseTriton(): Promise<Seen> {
  const python = await pythonWith("triton/requirements-reference.txt");
  const models = mkdtempSync(join(tmpdir(), "triton-models-"));
  const port = await freePort();
  const args = [join(tritonScripts, "serve_reference.py"), String(port), models];
  const server = spawn(python, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  server.stderr.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-10_000);
  });
  try {
    await whenReady(server, `http://127.0.0.1:${port}/v2/health/ready`, () => log);
    return await exercise(`127.0.0.1:${port}`, models, {});
  } finally {
    await ended(server);
    rmSync(models, { recursive: true });
  }
}

async function whenReady(server: ChildProcess, url: string, log: () => string): Promise<void> {
  const endMs = Date.now() + startMsMax;
  while (server.exitCode === null && Date.now() < endMs) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Triton does not start:\n${log()}`);
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null) return resolve();
    server.once("exit", () => resolve());
    server.kill();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
