import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ChatEvent, ChatRun } from "../../origin/src/engines/engine.ts";

const entry = fileURLToPath(new URL("../../origin/src/index.ts", import.meta.url));

export const secret = "test-secret-0123456789";

/** A fake model as `FAKE_MODELS` takes it. */
export interface Fake {
  readonly name: string;
  readonly tokens?: readonly string[];
  readonly endless?: boolean;
  readonly firstMs?: number;
  readonly tokenMs?: number;
  readonly failAfter?: number;
  readonly contextTokens?: number;
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real process, `node origin/src/index.ts`, with an environment of its own. */
export class OriginProcess {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";

  constructor(env: Record<string, string>, args: readonly string[] = []) {
    const base = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" };
    this.child = spawn(process.execPath, [entry, ...args], { env: { ...base, ...env } });
    this.child.stdout?.on("data", (data) => {
      this.stdout += String(data);
    });
    this.child.stderr?.on("data", (data) => {
      this.stderr += String(data);
    });
  }

  /** Where it listens; rejects when the process ends before it is ready. */
  async ready(): Promise<string> {
    while (!this.stdout.includes("\n")) {
      const ended = once(this.child, "exit").then(() => "ended");
      const said = await Promise.race([once(this.child.stdout ?? this.child, "data").then(() => "said"), ended]);
      if (said === "ended") throw new Error(`The origin ended before it was ready: ${this.stderr}`);
    }
    return JSON.parse(this.stdout.split("\n", 1)[0] ?? "").url;
  }

  async ended(): Promise<Ended> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "close");
    return { status: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  /** The log so far, parsed. */
  log(): Record<string, unknown>[] {
    const lines = this.stderr.split("\n").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line));
  }

  async stop(): Promise<Ended> {
    this.child.kill("SIGTERM");
    return this.ended();
  }
}

export interface Running {
  readonly origin: OriginProcess;
  readonly url: string;
  call(path: string, init?: RequestInit & { readonly json?: unknown }): Promise<Response>;
}

/** Starts an origin on a free port and waits until it is ready. */
export async function startOrigin(env: Record<string, string>): Promise<Running> {
  const origin = new OriginProcess({
    ORIGIN_SECRET: secret,
    ORIGIN_AUTH: "either",
    PORT: "0",
    DRAIN_MS: "200",
    ...env,
  });
  const url = await origin.ready();
  const call: Running["call"] = (path, { json, ...init } = {}) =>
    fetch(url + path, {
      ...(json === undefined ? {} : { method: "POST", body: JSON.stringify(json) }),
      ...init,
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", ...init.headers },
    });
  return { origin, url, call };
}

export function startFakes(fakes: readonly Fake[], env: Record<string, string> = {}): Promise<Running> {
  return startOrigin({ MODELS: "none", FAKE_MODELS: JSON.stringify(fakes), ...env });
}

export function asks(model: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { model, messages: [{ role: "user", content: "Tell me." }], ...more };
}

/** The `data:` of each event of a stream, as it arrives. */
export async function* eventsOf(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  let held = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    held += chunk;
    const events = held.split("\n\n");
    held = events.pop() ?? "";
    for (const event of events) yield event.replace(/^data: /, "");
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** All that a generation says. */
export async function eventsSaid(run: ChatRun, signal = new AbortController().signal): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  await run(signal, (event) => events.push(event));
  return events;
}
