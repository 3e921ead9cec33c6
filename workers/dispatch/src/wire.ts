import { parse, type WakeAnswer, wakeAnswer, wakePath } from "@ledge/contract";
import { Seats } from "./choose/seats.ts";
import type { Config, Origin } from "./config.ts";
import { lives } from "./learn/look.ts";
import { type Book, News } from "./learn/news.ts";
import { Allowance } from "./send/allowance.ts";
import { type AskDeps, ask } from "./send/ask.ts";
import type { Call } from "./send/call.ts";
import { hmacFor, sha256Hex } from "./send/sign.ts";
import type { AnswerDeps } from "./wait/answer-awake.ts";
import { type WakeBook, Wakes } from "./wait/wakes.ts";

/** Everything an isolate keeps between calls, wired once. */
export interface Runtime {
  readonly deps: AnswerDeps;
  readonly news: News;
}

export function wire(config: Config, book: Book & WakeBook): Runtime {
  const nowMs = () => Date.now();
  const sleep = (ms: number) => scheduler.wait(Math.max(0, ms));
  const hmac = hmacFor(config.secret);
  const say = (what: string) => console.error(JSON.stringify({ dispatch: what }));
  const news: News = new News(book, (key, told) => seats.hear(key, told), nowMs);
  const seats = new Seats(
    config,
    (key, turn) => {
      say(`${key} is ${turn.kind === "open" ? "left" : "asked again"}`);
      news.tell(key, turn);
    },
    nowMs,
  );
  const wakes = new Wakes({
    book,
    wake: (origin, model) => wake(origin, model, { hmac, signal: undefined, nowMs }),
    origins: seats.all.map(({ origin }) => origin),
    onAwake: (origin, model) => seats.awake(origin, model),
    heldMax: config.heldCallsMax,
    nowMs,
    sleep,
  });
  const deps: AnswerDeps = {
    seats,
    allowance: new Allowance(),
    ask: (origin, call, signal) => ask(origin, call, { hmac, signal, nowMs }),
    lives,
    wakes,
    fallbackHoldMs: config.fallbackHoldMs,
    nowMs,
    sleep,
    say,
  };
  return { deps, news };
}

/** An origin says at once how a waking stands. */
const wakeMsMax = 5_000;
const nothing = new Uint8Array();

/** Asks an origin to wake a model; `undefined` when it does not say that it does. Never throws. */
async function wake(origin: Origin, model: string, deps: AskDeps): Promise<WakeAnswer | undefined> {
  const call: Call = {
    method: "POST",
    path: wakePath(model),
    body: nothing,
    bodySha256: sha256Hex(nothing),
    headers: [],
    model,
    continent: undefined,
    deadlineMs: deps.nowMs() + wakeMsMax,
    hedged: false,
  };
  const { response } = await ask(origin, call, { ...deps, signal: AbortSignal.timeout(wakeMsMax) });
  if (response?.status !== 200) return undefined;
  const answer = parse(wakeAnswer, await response.json().catch(() => undefined));
  return answer.ok ? answer.value : undefined;
}
