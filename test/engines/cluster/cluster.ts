import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningCluster, startCluster, stopCluster } from "../../../scripts/cluster/cluster.ts";
import type { ClusterSettings } from "../../../scripts/cluster/settings.ts";
import { freePort } from "../../../scripts/local/port.ts";
import { venvOf } from "../../../scripts/python-venv.ts";
import { repoRoot } from "../../../scripts/repo.ts";

/** A cluster of a test's own, asked without Ledge. */

const model = join(repoRoot, "models", "tiny-chat", "1");

export interface Process {
  readonly rank: number;
  readonly pid: number;
  readonly node: string;
  readonly parameter_bytes: number;
}

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly tokens: readonly number[];
  readonly text: string;
}

export class TestCluster {
  readonly #stateDir = mkdtempSync(join(tmpdir(), "ledge-cluster-"));
  #running: RunningCluster | undefined;
  #port = 0;
  #rayPort = 0;

  /** Starts it, or changes what it serves. */
  async serve(settings: Partial<ClusterSettings>): Promise<void> {
    this.#port ||= await freePort(0, "port");
    this.#rayPort ||= await freePort(0, "port");
    const whole = {
      model_name: "tiny-chat",
      model_source: model,
      placement: "STRICT_SPREAD",
      max_replicas: 2,
      ...settings,
    };
    this.#running = await startCluster({
      stateDir: this.#stateDir,
      port: this.#port,
      rayPort: this.#rayPort,
      settings: whole as ClusterSettings,
      step: (_name, run) => run(),
    });
  }

  get running(): RunningCluster {
    if (this.#running === undefined) throw new Error("the cluster does not run");
    return this.#running;
  }

  /** Says whether there was one. */
  async stop(): Promise<boolean> {
    const stopped = await stopCluster(this.#stateDir);
    rmSync(this.#stateDir, { recursive: true, force: true });
    return stopped;
  }

  /** The processes of one replica, and how many answers it works on. */
  async shards(): Promise<{ readonly answers: number; readonly processes: readonly Process[] }> {
    return (await fetch(`${this.running.url}/shards`)).json() as never;
  }

  chat(content: string, more: object = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(`${this.running.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ model: "tiny-chat", messages: [{ role: "user", content }], ...more }),
      signal: signal ?? null,
    });
  }

  /** A whole answer, with the ids of its tokens. */
  async ask(content: string, more: object = {}): Promise<Asked> {
    const answer = await this.chat(content, { return_token_ids: true, ...more });
    const body = (await answer.json()) as { choices?: { token_ids: number[]; message: { content: string } }[] };
    const [choice] = body.choices ?? [];
    const { status, headers } = answer;
    return { status, headers, tokens: choice?.token_ids ?? [], text: choice?.message.content ?? "" };
  }
}

/** What `transformers` answers in one process: see reference.py. */
export async function referenceOf(
  prompts: readonly string[],
  maxTokens: number,
): Promise<{ readonly answers: readonly (readonly number[])[]; readonly parameter_bytes: number }> {
  const said = await python([join(import.meta.dirname, "reference.py"), model], { prompts, max_tokens: maxTokens });
  return JSON.parse(said);
}

/** Runs the cluster's Python with JSON on its standard input; throws with what it says on its standard error when it fails. */
export async function python(
  args: readonly string[],
  input: object = {},
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const program = await venvOf(join(repoRoot, "origin", "cluster", "requirements.txt"));
  const child = spawn(program, args, {
    cwd: join(repoRoot, "origin"),
    env: { ...process.env, HF_HUB_OFFLINE: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.end(JSON.stringify(input));
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** Whether a process lives. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
