import { callServer, type EngineServer, readText } from "../call-server.ts";
import type { OpenAiSpec } from "../remote-spec.ts";

export interface Rousing {
  readonly server: EngineServer;
  readonly wake: NonNullable<OpenAiSpec["wake"]>;
  readonly servedName: string;
  readonly task: OpenAiSpec["models"][number]["task"];
}

/** A server may take so many times as long as it usually does. */
const patience = 5;
const askAgainMsMax = 2_000;

/**
 * Wakes a server: asks its `url`, if it has one, and then for a single token until that comes. Of a server that wakes by its first
 * call this is the first call. Resolves with whether it answers; never throws.
 */
export async function rouse({ server, wake, servedName, task }: Rousing): Promise<boolean> {
  const signal = AbortSignal.timeout(wake.seconds * 1_000 * patience);
  if (wake.url !== undefined && !(await isStarted(wake.url, wake.method, server.key, signal))) return false;
  for (let waitMs = 100; !signal.aborted; waitMs = Math.min(askAgainMsMax, 2 * waitMs)) {
    const [path, body] =
      task === "embedding"
        ? (["/embeddings", { model: servedName, input: "hi" }] as const)
        : ([
            "/chat/completions",
            { model: servedName, messages: [{ role: "user", content: "hi" }], max_tokens: 1 },
          ] as const);
    const outgoing = { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    const answer = await callServer(server, path, outgoing, signal);
    if (answer.ok) {
      // Read, so that its connection can be used again.
      await readText(answer.value, server.answerBytesMax).catch(() => undefined);
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
  }
  return false;
}

async function isStarted(url: string, method: string, key: string | undefined, signal: AbortSignal): Promise<boolean> {
  const headers = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  try {
    const response = await fetch(url, { method, headers, redirect: "manual", signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
