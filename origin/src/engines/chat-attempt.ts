import type { Fault } from "@ledge/contract";
import { faultOfCallOff } from "../call-off.ts";
import type { ChatEvent, ChatRun, Say } from "./engine.ts";

/**
 * Runs a generation apart from whoever reads it, so that `release` is called the moment the engine is done, however
 * slowly the answer is read. Always ends with one `end` or `fault`: a fired signal and a throw become faults here.
 */
export async function attemptChat(run: ChatRun, signal: AbortSignal, release: () => void, say: Say): Promise<void> {
  let isOver = false;
  const pass = (event: ChatEvent) => {
    if (isOver || signal.aborted) return;
    isOver = event.kind === "end" || event.kind === "fault";
    say(event);
  };
  let fault: Fault = { code: "upstream_failed", cause: "the generation ended without saying how" };
  try {
    await run(signal, pass);
  } catch (error) {
    fault = { code: "upstream_failed", cause: String(error).slice(0, 500) };
  } finally {
    release();
  }
  if (!isOver) say({ kind: "fault", fault: signal.aborted ? faultOfCallOff(signal) : fault });
}
