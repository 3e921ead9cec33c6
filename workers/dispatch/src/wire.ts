import { Seats } from "./choose/seats.ts";
import type { Config } from "./config.ts";
import { lives } from "./learn/look.ts";
import { type Book, News } from "./learn/news.ts";
import { Allowance } from "./send/allowance.ts";
import { ask } from "./send/ask.ts";
import type { AttemptDeps } from "./send/attempt.ts";
import { hmacFor } from "./send/sign.ts";

/** Everything an isolate keeps between calls, wired once. */
export interface Runtime {
  readonly deps: AttemptDeps;
  readonly news: News;
}

export function wire(config: Config, book: Book): Runtime {
  const nowMs = () => Date.now();
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
  const deps: AttemptDeps = {
    seats,
    allowance: new Allowance(),
    ask: (origin, call, signal) => ask(origin, call, { hmac, signal, nowMs }),
    lives,
    nowMs,
    sleep: (ms) => scheduler.wait(Math.max(0, ms)),
    say,
  };
  return { deps, news };
}
