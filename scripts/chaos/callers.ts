import { headers } from "@ledge/contract";
import type { Random } from "../simulate/random.ts";
import { type Judged, judgeRefusal } from "./judge.ts";
import type { Kind, Question } from "./questions.ts";

/** One call as its caller saw it: once, never tried again. */
export interface Call extends Judged {
  readonly id: string;
  readonly kind: Kind;
  readonly startedMs: number;
  readonly endedMs: number;
  /** Who answered, and after how many requests, as `Ledge-Origin` says. */
  readonly origin?: string;
  readonly attempts?: number;
}

export interface LoadOptions {
  /** The edge. */
  readonly url: string;
  readonly key: string;
  /** Callers that ask one question after the other. */
  readonly callers: number;
  /** What each thinks between two questions: up to this, drawn evenly. 0: nothing. */
  readonly thinkMsMax: number;
  readonly random: Random;
  next(random: Random): Question;
  ended(call: Call): void;
}

/** What callers give the edge; each call says so. */
export const timeoutMs = 8_000;
/** An edge that has neither answered nor refused by then has forgotten its caller; one that is late shows in the times. */
const forgottenAfterMs = timeoutMs + 60_000;

let calls = 0;

/** Asks in a closed loop until it is stopped; the promise of `stop` resolves when the last calls have ended. */
export function startLoad(options: LoadOptions): { stop(): Promise<void> } {
  const { callers, thinkMsMax, random } = options;
  let stopped = false;
  const caller = async () => {
    while (!stopped) {
      options.ended(await ask(options, options.next(random)));
      if (!stopped && thinkMsMax > 0) await new Promise((resolve) => setTimeout(resolve, random() * thinkMsMax));
    }
  };
  const all = Promise.all(Array.from({ length: callers }, caller));
  return {
    stop: async () => {
      stopped = true;
      await all;
    },
  };
}

async function ask({ url, key }: Pick<LoadOptions, "url" | "key">, question: Question): Promise<Call> {
  const id = `chaos-${++calls}`;
  const { kind, path, body } = question;
  const startedMs = performance.now();
  let said = "";
  let judged: Judged;
  try {
    const answer = await fetch(url + path, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${key}`,
        "Content-Type": "application/json",
        // Neither the answer cache nor another caller's flight may hide what the origins do.
        "Cache-Control": "no-store",
        [headers.requestId]: id,
        [headers.timeoutMs]: String(timeoutMs),
      },
      body,
      signal: AbortSignal.timeout(forgottenAfterMs),
    });
    said = answer.headers.get(headers.origin) ?? "";
    const text = await answer.text();
    judged = answer.status === 200 ? question.judge(text) : judgeRefusal(answer.status, text);
  } catch (error) {
    // The edge itself hung up, or said nothing at all.
    judged = { verdict: "silent", got: String(error) };
  }
  const [origin, attempts] = [/^[^;]+/.exec(said)?.[0], /attempts=(\d+)/.exec(said)?.[1]];
  const by = origin === undefined ? {} : { origin, attempts: Number(attempts) };
  return { id, kind, startedMs, endedMs: performance.now(), ...judged, ...by };
}
