import { parentPort, workerData } from "node:worker_threads";
import { type ChatRequest, fail, ok, type Result } from "@ledge/contract";
import type { Engine, PreparedChat } from "../engine.ts";
import { StartError } from "../model-package.ts";
import { loadGenerator } from "./generator.ts";
import type { FromGenerator, GeneratorOrder, ToGenerator } from "./generator-messages.ts";

/** A language model in a thread of its own: no step of it, however long, keeps the rest of the process waiting. */

const say = (message: FromGenerator) => parentPort?.postMessage(message);

async function serve({ pack, threads }: GeneratorOrder): Promise<void> {
  let engine: Engine;
  try {
    engine = await loadGenerator(pack, threads);
  } catch (error) {
    const mend = error instanceof StartError;
    return say({ kind: "refused", reason: mend ? error.message : String(error), mend });
  }
  const running = new Map<number, Course>();
  parentPort?.on("message", async (message: ToGenerator) => {
    if (message.kind === "stop") return running.get(message.id)?.stop.abort("disconnected");
    if (message.kind === "prepare") return prepare(engine, message);
    if (message.kind === "run") {
      const stop = new AbortController();
      const ended = run(engine, message, stop.signal).finally(() => running.delete(message.id));
      return running.set(message.id, { stop, ended });
    }
    for (const { stop } of running.values()) stop.abort("draining");
    await Promise.all([...running.values()].map(({ ended }) => ended));
    await engine.close();
    parentPort?.close();
  });
  say({ kind: "loaded", model: engine.model });
}

interface Course {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

interface Asked {
  readonly id: number;
  readonly request: ChatRequest;
}

async function prepare(engine: Engine, { id, request }: Asked): Promise<void> {
  const chat = await chatOf(engine, request);
  const outcome = chat.ok ? ok({ promptTokens: chat.value.promptTokens ?? 0 }) : chat;
  say({ kind: "prepared", id, outcome });
}

async function run(engine: Engine, { id, request }: Asked, signal: AbortSignal): Promise<void> {
  try {
    const chat = await chatOf(engine, request);
    if (chat.ok) await chat.value.run(signal, (event) => say({ kind: "event", id, event }));
    else say({ kind: "event", id, event: { kind: "fault", fault: chat.fault } });
  } catch (error) {
    const fault = { code: "upstream_failed", cause: String(error).slice(0, 500) } as const;
    say({ kind: "event", id, event: { kind: "fault", fault } });
  } finally {
    say({ kind: "ended", id });
  }
}

async function chatOf(engine: Engine, request: ChatRequest): Promise<Result<PreparedChat>> {
  return (await engine.chat?.(request)) ?? fail("internal_error", { cause: "a generator chats" });
}

await serve(workerData as GeneratorOrder);
