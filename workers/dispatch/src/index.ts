import { env } from "cloudflare:workers";
import { brokenStreamPath, errors, type Fault, headers, problemOf, retryAfterSeconds } from "@ledge/contract";
import { readConfig } from "./config.ts";
import { hearBreak } from "./learn/break.ts";
import { isReady } from "./learn/look.ts";
import type { OriginBook } from "./learn/origin-book.ts";
import { type Answered, originText } from "./send/attempt.ts";
import { callOf } from "./send/call.ts";
import { answerAwake } from "./wait/answer-awake.ts";
import { longStream } from "./wait/long-stream.ts";
import { type Runtime, wire } from "./wire.ts";

/**
 * The dispatch Worker: knows the origins, and asks the one that is to answer (docs/decisions/0015-dispatch-worker.md). What the
 * gateway sends it goes on as it came, signed; what an origin answers comes back as it is.
 */

export { OriginBook } from "./learn/origin-book.ts";

/** Lives as long as the isolate. */
const config = readConfig(env);
const books = env.ORIGIN_BOOK as DurableObjectNamespace<OriginBook>;
const runtime = config.ok
  ? wire(config.value, {
      exchange: async (turns) => await books.getByName("origins").exchange(turns),
      waking: async (model, ask) => await books.getByName("origins").waking(model, ask),
    })
  : undefined;

export default {
  async fetch(request, _env, ctx) {
    if (runtime === undefined) return misconfigured();
    const { pathname } = new URL(request.url);
    if (pathname === "/readyz") return await readiness(runtime);
    if (pathname === brokenStreamPath) {
      await hearBreak(request, runtime.deps);
      if (runtime.news.isDue) ctx.waitUntil(runtime.news.exchange());
      return new Response(null, { status: 204 });
    }
    const call = await callOf(request, Date.now());
    if (!call.ok) return refusal(call.fault);
    const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work);
    let onLong = () => {};
    const answering = answerAwake(runtime.deps, call.value, waitUntil, () => onLong());
    const long = new Promise<"long">((resolve) => {
      onLong = () => resolve("long");
    });
    const answered = await (call.value.streams ? Promise.race([answering, long]) : answering);
    if (answered === "long") return longStream(answering, waitUntil);
    lookAndTell(runtime, waitUntil);
    return "response" in answered ? passedOn(answered) : refusal(answered);
  },
} satisfies ExportedHandler<Env>;

function passedOn(answered: Answered): Response {
  const { body, status, headers: said } = answered.response;
  const named = new Headers(said);
  named.set(headers.origin, originText(answered));
  return new Response(body, { status, headers: named });
}

/** What nobody waits for: a look at one origin, and a word with the other isolates. */
function lookAndTell({ deps, news }: Runtime, waitUntil: (work: Promise<unknown>) => void): void {
  const { seats, lives, nowMs } = deps;
  const due = seats.due();
  if (due !== undefined) {
    const looked = lives(due.origin).then((alive) => due.looked(alive, nowMs()));
    waitUntil(looked.then(() => (news.isDue ? news.exchange() : undefined)));
  }
  if (news.isDue) waitUntil(news.exchange());
}

/** Ready while any origin is. */
async function readiness({ deps: { seats } }: Runtime): Promise<Response> {
  const ready = await Promise.all(seats.all.map(({ origin }) => isReady(origin)));
  return Response.json({ ready: ready.includes(true) }, { status: ready.includes(true) ? 200 : 503 });
}

/** As an origin refuses: problem details, which the gateway reads. The cause is for the log alone. */
function refusal(fault: Fault): Response {
  const retryAfter: [string, string][] =
    fault.retryAfterMs === undefined ? [] : [[headers.retryAfter, String(retryAfterSeconds(fault.retryAfterMs))]];
  return Response.json(problemOf(fault), { status: errors[fault.code].status, headers: retryAfter });
}

function misconfigured(): Response {
  const wrong = config.ok ? [] : (config.fault.issues ?? []);
  const names = wrong.map(({ path, message }) => `${path} (${message})`).join(", ");
  console.error(JSON.stringify({ dispatch: `set these variables or secrets: ${names}` }));
  return refusal({ code: "origin_unavailable" });
}
