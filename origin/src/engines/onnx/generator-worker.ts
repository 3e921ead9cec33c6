import { parentPort, workerData } from "node:worker_threads";
import type { Engine } from "../engine.ts";
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
  const running = new Map<number, AbortController>();
  parentPort?.on("message", async (message: ToGenerator) => {
    if (message.kind === "stop") return running.get(message.id)?.abort("disconnected");
    const { kind, id, request } = message;
    const stop = new AbortController();
    if (kind === "run") running.set(id, stop);
    const chat = await engine.chat?.(request);
    if (chat === undefined) throw new Error("A generator chats.");
    if (kind === "prepare") {
      const { ok } = chat;
      const outcome = ok ? { ok, value: { promptTokens: chat.value.promptTokens ?? 0 } } : chat;
      return say({ kind: "prepared", id, outcome });
    }
    try {
      if (!chat.ok) return say({ kind: "event", id, event: { kind: "fault", fault: chat.fault } });
      for await (const event of chat.value.run(stop.signal)) say({ kind: "event", id, event });
    } catch (error) {
      const fault = { code: "upstream_failed", cause: String(error).slice(0, 500) } as const;
      say({ kind: "event", id, event: { kind: "fault", fault } });
    } finally {
      running.delete(id);
      say({ kind: "ended", id });
    }
  });
  say({ kind: "loaded", model: engine.model });
}

await serve(workerData as GeneratorOrder);
