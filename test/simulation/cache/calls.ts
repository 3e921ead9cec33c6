import type { Result } from "@ledge/contract";
import { type CacheOutcome, cacheWish, defaultTerms, standingOf, unregistered } from "@ledge/policy";
import type { Form } from "../../../workers/gateway/src/cache/answers.ts";
import { answerChat } from "./answer-chat.mjs";
import { type Asked, aboutOf, type Question } from "./asked.ts";
import type { Dice } from "./dice.ts";
import type { Isolate } from "./isolate.ts";
import { type Said, type SimulatedOrigin, saidBy } from "./origin.ts";
import type { VirtualTime } from "./time.ts";

/** What a caller got. */
export type Got =
  | { readonly kind: "answer"; readonly said: Said | undefined; readonly outcome: CacheOutcome | undefined }
  | { readonly kind: "fault"; readonly code: string; readonly outcome: CacheOutcome | undefined }
  /** A stream that ended in an error event, and what had been said until then. */
  | { readonly kind: "broken"; readonly text: string; readonly outcome: CacheOutcome | undefined };

export const tenants = ["acme", "beta", "corp"] as const;
export const tags = ["red", "blue"] as const;
export const models = { chat: ["far"], labels: ["near", "far-labels"] } as const;
export const inputs = ["a", "a ", "b", "c", "no a", "too long"] as const;

/** What a caller may say about the cache, by header. */
const wishes: readonly Readonly<Record<string, string>>[] = [
  { "cache-control": "no-cache" },
  { "cache-control": "no-store" },
  { "cache-control": "max-age=0" },
  { "cache-control": "max-age=1" },
  { "cache-control": "max-age=10" },
  { "cache-control": "max-age=5, max-stale=10" },
  { "cache-control": "max-stale" },
  { "cache-control": "max-stale=15" },
  { "cache-control": "min-fresh=10" },
  { "cache-control": "only-if-cached" },
  { "cache-control": "only-if-cached, max-stale=60" },
  { "ledge-cache-ttl": "3" },
  { "ledge-cache-ttl": "90" },
  { "ledge-cache-ttl": "100000" },
  { "ledge-cache-key": "mine" },
  { "ledge-cache-tag": "red" },
  { "ledge-cache-tag": "red, blue" },
  { "accept-language": "de" },
  { "accept-language": "de", "ledge-cache-tag": "blue", "ledge-cache-ttl": "40" },
];

const labels: Form<Said> = { record: (said) => said, read: (kept) => kept as Said };

/** A call of somebody, to one of the isolates. */
export function someCall(id: string, dice: Dice, isolate: Isolate, nowMs: number, patience: readonly number[]): Asked {
  const said = new Map(Object.entries(dice.comes(0.4) ? dice.pick(wishes) : {}));
  const wish = cacheWish((name) => said.get(name.toLowerCase()) ?? null);
  if ("wrong" in wish) throw new Error(wish.wrong);
  const task = dice.comes(0.6) ? "chat" : "labels";
  const model = dice.pick(models[task]);
  const version = isolate.stable.get(model) ?? "1";
  const sampled = task === "chat" && dice.comes(0.1);
  const question: Question = {
    tenant: dice.comes(0.6) ? tenants[0] : dice.pick(tenants),
    task,
    model,
    version,
    digest: `${model}-${version}`,
    input: dice.comes(0.5) ? inputs[0] : dice.pick(inputs),
    temperature: sampled ? 1 : 0,
    language: said.get("accept-language") ?? "",
    partition: wish.partition,
  };
  return {
    id,
    isolate,
    question,
    about: aboutOf(question),
    form: task === "labels" ? "labels" : dice.comes(0.5) ? "stream" : "whole",
    wish,
    headers: said,
    sampled,
    startedMs: nowMs,
    deadlineMs: nowMs + dice.pick(patience),
    heard: isolate.heard,
    caller: new AbortController(),
  };
}

/** Asks as the gateway would, once it knows who calls which version. */
export async function put(asked: Asked, origin: SimulatedOrigin, time: VirtualTime): Promise<Got> {
  return asked.form === "labels" ? await putLabels(asked, origin) : await putChat(asked, origin, time);
}

async function putLabels(asked: Asked, origin: SimulatedOrigin): Promise<Got> {
  const { question, wish, headers, sampled, deadlineMs, caller, isolate } = asked;
  const { tenant, task, model, version, digest, input } = question;
  let outcome: CacheOutcome | undefined;
  const call = {
    identity: { tenant, task, model, version, digest, input },
    wish,
    header: (name: string) => headers.get(name) ?? null,
    sampled,
    reach: model === "near" ? ("isolate" as const) : ("everywhere" as const),
    deadlineMs,
    signal: caller.signal,
    waitUntil: () => undefined,
  };
  const result = await isolate.cache.answer(
    call,
    labels,
    (errand) => origin.predict({ requestId: asked.id, ...errand }),
    (said) => {
      outcome = said;
    },
  );
  return result.ok
    ? { kind: "answer", said: result.value, outcome }
    : { kind: "fault", code: result.fault.code, outcome };
}

async function putChat(asked: Asked, origin: SimulatedOrigin, time: VirtualTime): Promise<Got> {
  const { question, wish, headers, isolate, startedMs, deadlineMs, caller } = asked;
  const trail: { cache?: CacheOutcome; timings: object } = { timings: {} };
  const exchange = {
    request: { headers: { get: (name: string) => headers.get(name) ?? null }, signal: caller.signal },
    requestId: asked.id,
    startedMs,
    runtime: {
      config: { FALLBACKS: {} },
      cache: isolate.cache,
      flights: isolate.flights,
      tiers: { origin },
      nowMs: () => time.nowMs,
      tallies: { record: () => undefined },
    },
    trail,
    waitUntil: (work: Promise<unknown>) => void work.catch(() => undefined),
  };
  const messages = [{ role: "user", content: question.input }];
  const stream = asked.form === "stream";
  const body = { model: question.model, messages, stream, temperature: question.temperature };
  const entered = {
    call: { task: "chat", model: {}, body, stream, includeUsage: false },
    envelope: { requestId: asked.id, startedMs, deadlineMs, cache: wish },
    principal: { tenant: question.tenant, standing: standingOf({}, unregistered(question.tenant), defaultTerms, {}) },
    model: { ...question, name: question.model, manifest: { tiers: ["origin"] } },
  };
  const reply: Result<{ readonly body: unknown }> = await answerChat(exchange, entered);
  if (!reply.ok) return { kind: "fault", code: reply.fault.code, outcome: trail.cache };
  const text = await textOfBody(reply.value.body, caller.signal);
  return text.ok
    ? { kind: "answer", said: saidBy(text.value), outcome: trail.cache }
    : { kind: "broken", text: text.value, outcome: trail.cache };
}

/** What the caller reads: `ok: false` for a stream that does not end as it should. */
async function textOfBody(body: unknown, signal: AbortSignal): Promise<{ ok: boolean; value: string }> {
  if (!(body instanceof ReadableStream)) return { ok: true, value: textOfWire(String(body)) };
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  signal.addEventListener("abort", () => void reader.cancel("the caller left").catch(() => undefined));
  const decoder = new TextDecoder();
  let wire = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      wire += decoder.decode(value, { stream: true });
    }
  } catch {
    return { ok: false, value: textOfWire(wire) };
  }
  return { ok: wire.endsWith("data: [DONE]\n\n") && !wire.includes('"error"'), value: textOfWire(wire) };
}

interface Spoken {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string };
    readonly message?: { readonly content?: string };
  }[];
}

/** The content of an answer, whole or in events, of which the last may be cut. */
function textOfWire(wire: string): string {
  const events = wire.split("\n\n").slice(0, -1);
  const payloads = wire.startsWith("{")
    ? [wire]
    : events.flatMap((event) => (event.startsWith("data: {") ? [event.slice(6)] : []));
  return payloads.map((payload) => contentOf(JSON.parse(payload))).join("");
}

function contentOf({ choices }: Spoken): string {
  const [choice] = choices ?? [];
  return choice?.delta?.content ?? choice?.message?.content ?? "";
}
