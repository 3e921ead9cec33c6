import { faultOfCallOff } from "../call-off.ts";
import { ChatChannel } from "./chat-channel.ts";
import type { ChatEvent, ChatRun } from "./engine.ts";

/**
 * Runs a generation apart from whoever reads it, so that `release` is called the moment the engine is done, however
 * slowly the answer is read. Always ends with one `end` or `fault`: a fired signal and a throw become faults here.
 */
export function attemptChat(run: ChatRun, signal: AbortSignal, release: () => void): AsyncIterable<ChatEvent> {
  const channel = new ChatChannel<ChatEvent>();
  void pump(run, signal, channel).finally(() => {
    release();
    channel.close();
  });
  return channel;
}

async function pump(run: ChatRun, signal: AbortSignal, channel: ChatChannel<ChatEvent>): Promise<void> {
  try {
    for await (const event of run(signal)) {
      if (signal.aborted) break;
      channel.push(event);
      if (event.kind === "end" || event.kind === "fault") return;
    }
    const fault = signal.aborted
      ? faultOfCallOff(signal)
      : ({ code: "upstream_failed", cause: "the generation ended without saying how" } as const);
    channel.push({ kind: "fault", fault });
  } catch (error) {
    channel.push({ kind: "fault", fault: { code: "upstream_failed", cause: String(error).slice(0, 500) } });
  }
}
