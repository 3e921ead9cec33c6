import { type Fault, fail, headers } from "@ledge/contract";
import { type Answered, Attempt, type AttemptDeps } from "../send/attempt.ts";
import type { Call } from "../send/call.ts";
import type { Asleep, Wakes } from "./wakes.ts";

export interface AnswerDeps extends AttemptDeps {
  readonly wakes: Wakes;
  /** How long a call waits for a model in whose place another one answers, milliseconds. */
  readonly fallbackHoldMs: number;
}

/** A refusal is on its way to the caller before its time is up. */
const marginMs = 50;
/** After so long the caller of a stream is told that there will be one. What fails until then has a status. */
const quietMs = 2_000;
/** A model that is asleep again when it was just woken is not waited for without end. */
const roundsMax = 3;

/**
 * Asks the origins, and holds the call while its model is asleep at all of them that could answer. `onLong` is called when that takes
 * long and the caller may be told so.
 */
export async function answerAwake(
  deps: AnswerDeps,
  call: Call,
  waitUntil: (work: Promise<unknown>) => void,
  onLong: () => void,
): Promise<Answered | Fault> {
  const { wakes, nowMs, fallbackHoldMs } = deps;
  const heldMs = call.hasFallback === true ? fallbackHoldMs : Number.POSITIVE_INFINITY;
  const untilMs = Math.min(call.deadlineMs - marginMs, nowMs() + heldMs);
  let asleep = wakes.asleep(call.model);
  for (let round = 0; ; round++) {
    if (asleep === undefined) {
      const answer = await new Attempt(deps, call, waitUntil).run();
      asleep = asleepIn(answer);
      if (asleep === undefined || round === roundsMax) return answer;
    }
    const long = call.streams === true && call.hasFallback !== true ? nowMs() + quietMs : untilMs;
    let waited = await wakes.hold(call.model, asleep, Math.min(untilMs, long));
    if (waited === "late" && nowMs() < untilMs) {
      onLong();
      waited = await wakes.hold(call.model, asleep, untilMs);
    }
    if (waited !== "awake") return refused(wakes.asleep(call.model) ?? asleep);
    asleep = undefined;
  }
}

/** Which origin said that the model is asleep, if that is the answer. */
function asleepIn(answer: Answered | Fault): Asleep | undefined {
  if (!("response" in answer) || answer.response.status !== 503) return undefined;
  const etaMs = Number(answer.response.headers.get(headers.waking) ?? Number.NaN);
  return etaMs >= 0 ? { origin: answer.origin, etaMs } : undefined;
}

function refused({ etaMs }: Asleep): Fault {
  return fail("model_not_ready", { retryAfterMs: Math.max(1_000, etaMs), detail: "It is waking." }).fault;
}
