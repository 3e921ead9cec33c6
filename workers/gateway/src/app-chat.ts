import { type ChatUsage, type ErrorCode, fail, ok, type Result, type Used } from "@ledge/contract";
import type { CacheOutcome } from "@ledge/policy";
import { openAiError } from "./accept/openai.ts";
import { cacheCallOf, copyToShadow, type Entered, type Exchange, journeyOf, noteUsed } from "./app.ts";
import { fallbacksOf, fromFallback } from "./app-fallback.ts";
import { guarded } from "./app-guard.ts";
import { orLike } from "./app-semantic.ts";
import type { CacheCall, Found, Miss } from "./cache/call.ts";
import { chatPrompt, chatText, isSampled } from "./cache/chats.ts";
import type { Flight, Flown } from "./cache/ports.ts";
import { ChatMeter } from "./dispatch/chat-meter.ts";
import { type ChatPart, objectIn, type Stamp } from "./dispatch/chat-part.ts";
import { type ChatRecord, eventOf, partsOf, recordOf, replayStream, replayWhole, sse } from "./dispatch/chat-record.ts";
import { collected, sharedParts, sharedStream } from "./dispatch/chat-share.ts";
import { EventWatch, PartTeller, type Passage, type RelayHooks, relayEvents } from "./dispatch/chat-stream.ts";
import type { ChatStream, Journey } from "./dispatch/ports.ts";
import type { ChatCall, DeployedModel } from "./exchange.ts";
import { inTime } from "./in-time.ts";
import { costComment, recordCall } from "./observe/record.ts";
import { eventStreamReply, jsonText, type Reply } from "./reply.ts";

/**
 * cache → dispatch for a chat. Whole and streamed calls of one exchange share an entry and a flight: what flies are the parts of a
 * stream, which a caller who wants none gets joined.
 */
export async function answerChat(x: Exchange, entered: Entered<ChatCall>): Promise<Result<Reply>> {
  const { call } = entered;
  const exact = cacheCallOf(x, entered, chatText(call), isSampled(call));
  const asked: CacheCall = { ...exact, prompt: () => chatPrompt(call) };
  // The guard is asked beside the look into the cache; nothing is answered before one that may refuse has spoken.
  const [allowed, looked] = await Promise.all([guarded(x, entered), x.runtime.cache.look(asked)]);
  if (!allowed.ok) return allowed;
  if (!looked.ok) return looked;
  const served = looked.value.kind === "found" ? looked.value : await orLike(x, looked.value);
  if (served.kind === "found") {
    const { refresh } = served;
    if (refresh !== undefined) x.waitUntil(refreshed(x, entered, asked, refresh));
    return ok(replay(x, entered, served));
  }
  const reply = await fresh({ x, entered, asked, miss: served });
  if (reply.ok) return reply;
  const other = await fromFallback(x, entered, reply.fault, (instead) => answerAnew(x, instead));
  if (other !== undefined) return ok(other);
  const instead = served.insteadOf(reply.fault);
  return instead === undefined ? reply : ok(replay(x, entered, instead));
}

/** The same for a chat that was allowed, of the model that is asked in its own one's place. */
async function answerAnew(x: Exchange, entered: Entered<ChatCall>): Promise<Result<Reply>> {
  const { call } = entered;
  const asked = cacheCallOf(x, entered, chatText(call), isSampled(call));
  const looked = await x.runtime.cache.look(asked);
  if (!looked.ok) return looked;
  const { value } = looked;
  return value.kind === "found" ? ok(replay(x, entered, value)) : await fresh({ x, entered, asked, miss: value });
}

async function fresh(chat: Chat): Promise<Result<Reply>> {
  const { x, entered, miss } = chat;
  x.trail.cache = miss.outcome;
  const { stream } = entered.call;
  const reply = miss.stored === undefined ? await past(chat) : stream ? await streamed(chat) : await whole(chat);
  if (reply.ok) x.trail.tier = "origin";
  return reply;
}

/** A chat that nothing kept answers. */
interface Chat {
  readonly x: Exchange;
  readonly entered: Entered<ChatCall>;
  readonly asked: CacheCall;
  readonly miss: Miss;
  /** Set for work behind a stale answer, which leaves no trace in what is said of the call. */
  readonly behind?: true;
  /** As the engine tells it when its stream begins. */
  promptTokens?: number;
}

/** Past the cache: as the engine says it. */
async function past(chat: Chat): Promise<Result<Reply>> {
  const { x, entered, asked } = chat;
  const { origin } = x.runtime.tiers;
  const body = bodyFor(entered);
  if (!entered.call.stream) {
    const answer = await origin.complete(body, journeyFor(chat, asked));
    if (!answer.ok) return answer;
    const { text, runMs } = answer.value;
    noteWork(chat);
    const meter = new ChatMeter();
    meter.takeUsage(objectIn(text)?.usage as ChatUsage | undefined, runMs);
    noteUsed(x.trail, meter.used);
    return ok(jsonText(text));
  }
  const source = await origin.stream(body, journeyFor(chat, asked));
  if (!source.ok) return source;
  noteWork(chat);
  const meter = new ChatMeter(source.value.promptTokens);
  return ok(relayed(chat, source.value.body, new EventWatch(meter), meter, tellerOf(chat, source.value, asked.signal)));
}

async function streamed(chat: Chat): Promise<Result<Reply>> {
  const { x, entered, miss } = chat;
  const flown = await fly(chat, (signal) => engineParts(chat, signal));
  if (!flown.result.ok) return flown.result;
  x.trail.cache = flown.collapsed ? miss.collapsed : (miss.stored ?? miss.outcome);
  const stamp = stampOf(x, entered);
  const meter = new ChatMeter(chat.promptTokens);
  const teller = new PartTeller((part) => {
    meter.take(part);
    return eventOf(part, stamp, entered.call.includeUsage);
  });
  return ok(relayed(chat, flown.result.value, teller, meter));
}

async function whole(chat: Chat): Promise<Result<Reply>> {
  const { x, entered, miss } = chat;
  let mine: Completion | undefined;
  const flown = await fly(chat, async (signal) => {
    const answer = await completion(chat, signal);
    if (answer.ok) mine = answer.value;
    return answer.ok ? ok(sharedParts(answer.value.parts)) : answer;
  });
  if (!flown.result.ok) return flown.result;
  const parts = await partsOfFlight(chat, flown.result.value);
  if (mine !== undefined) {
    x.trail.cache = mine.kept ?? miss.outcome;
    noteUsed(x.trail, usedBy(mine.parts, mine.runMs));
    return ok(jsonText(mine.text));
  }
  x.trail.cache = miss.collapsed;
  if (!parts.ok) return parts;
  noteUsed(x.trail, usedBy(parts.value));
  return ok(replayWhole({ parts: parts.value }, stampOf(x, entered)));
}

function usedBy(parts: readonly ChatPart[], runMs?: number): Used {
  const meter = new ChatMeter();
  for (const part of parts) meter.take(part);
  return { ...meter.used, ...(runMs === undefined ? {} : { runMs }) };
}

/** All that flew, within the deadline. Errors: `upstream_failed`, `deadline_exceeded`. */
async function partsOfFlight({ x, asked }: Chat, flown: Parts): Promise<Result<readonly ChatPart[]>> {
  const parts = await inTime(asked.deadlineMs - x.runtime.nowMs(), collected(flown));
  if (parts !== undefined) return ok(parts);
  return fail(x.runtime.nowMs() < asked.deadlineMs ? "upstream_failed" : "deadline_exceeded");
}

/** Gets a fresh answer and keeps it, behind a stale one, in the form that was asked for. Never fails. */
async function refreshed(x: Exchange, entered: Entered<ChatCall>, asked: CacheCall, miss: Miss): Promise<void> {
  const chat: Chat = { x, entered, asked: x.runtime.cache.behind(asked), miss, behind: true };
  const { result } = await fly(chat, async (signal) => {
    if (entered.call.stream) return await engineParts(chat, signal);
    const answer = await completion(chat, signal);
    return answer.ok ? ok(sharedParts(answer.value.parts)) : answer;
  });
  // It is read to its end, as a stream is kept when it has passed.
  if (result.ok) await partsOfFlight(chat, result.value);
}

type Parts = ReadableStream<Uint8Array>;

async function fly(chat: Chat, work: (signal: AbortSignal) => Promise<Result<Parts>>): Promise<Flown<Parts>> {
  const { x, asked, miss } = chat;
  const { deadlineMs, signal } = asked;
  if (miss.flight === undefined) return { result: await work(signal), collapsed: false };
  const flight: Flight = { ...miss.flight, deadlineMs, signal };
  return await x.runtime.flights.stream(flight, work);
}

/** The engine's stream, with what it costs: the answer may be another caller's who asks for that. It is kept when it is whole. */
async function engineParts(chat: Chat, signal: AbortSignal): Promise<Result<Parts>> {
  const { x, entered, asked, miss } = chat;
  const options = { ...entered.call.body.stream_options, include_usage: true };
  const body = { ...bodyFor(entered), stream: true, stream_options: options };
  const journey = journeyFor(chat, { deadlineMs: asked.deadlineMs, signal });
  const source = await x.runtime.tiers.origin.stream(body, journey);
  if (!source.ok) return source;
  if (source.value.promptTokens !== undefined) chat.promptTokens = source.value.promptTokens;
  noteWork(chat);
  return ok(sharedStream(source.value.body, miss.keep, tellerOf(chat, source.value, signal)));
}

/** The engine's whole answer: as it is, in parts, and how the call is reported if it was kept. */
interface Completion {
  readonly text: string;
  readonly parts: readonly ChatPart[];
  readonly runMs: number | undefined;
  readonly kept?: CacheOutcome;
}

/** Errors: those of the origin, `upstream_failed` when it is no completion. */
async function completion(chat: Chat, signal: AbortSignal): Promise<Result<Completion>> {
  const { x, entered, asked, miss } = chat;
  const journey = journeyFor(chat, { deadlineMs: asked.deadlineMs, signal });
  const answer = await x.runtime.tiers.origin.complete(bodyFor(entered), journey);
  if (!answer.ok) return answer;
  const { text, runMs } = answer.value;
  const parts = partsOf(text);
  if (parts === undefined) return fail("upstream_failed", { cause: "origin: the answer is not a completion" });
  noteWork(chat);
  const record = recordOf(parts);
  return ok({ text, parts, runMs, ...(record === undefined ? {} : { kept: miss.keep(record) }) });
}

function journeyFor({ x, entered, behind }: Chat, { deadlineMs, signal }: Pick<Journey, "deadlineMs" | "signal">) {
  const { model, body } = entered.call;
  const avoid = body.stream_options?.resume?.origin;
  const hasFallback = fallbacksOf(x, model).length > 0;
  return { ...journeyOf(x, { deadlineMs, signal, behind: behind === true }), hasFallback, ...(avoid && { avoid }) };
}

/** Tells of the engine's stream that it broke off; not of one whose callers have left. */
function tellerOf({ x }: Chat, { broke }: ChatStream, signal: AbortSignal): (code: ErrorCode) => void {
  return (code) => {
    if (!signal.aborted) x.waitUntil(broke(code));
  };
}

/** What the meter says in the end is what the call used, and its cost is told behind the events. */
function relayed(
  { x, asked }: Chat,
  source: Parts,
  passage: Passage,
  meter: ChatMeter,
  broke?: (code: ErrorCode) => void,
): Reply {
  const { nowMs } = x.runtime;
  x.trail.streams = true;
  // Without this the runtime ends the request with its stream, and with it the hand-over of what was counted.
  let ended = () => {};
  x.waitUntil(
    new Promise<void>((resolve) => {
      ended = resolve;
    }),
  );
  const hooks: RelayHooks = {
    onEnd: ({ complete, code }) => {
      noteUsed(x.trail, meter.used);
      if (code !== undefined) broke?.(code);
      recordCall(x, nowMs(), complete ? undefined : (code ?? "canceled"));
      ended();
      return costComment(x.trail);
    },
    errorEvent: (code) => sse(openAiError({ code })),
    timeoutMs: asked.deadlineMs - nowMs(),
  };
  return eventStreamReply(relayEvents(source, hooks, passage));
}

/** What the engine did for this call, and what the shadow version does with it. */
function noteWork({ x, entered, behind }: Chat): void {
  if (behind) return;
  x.trail.work = { rows: 1 };
  copyToShadow(x, entered, undefined, async (other, journey) => {
    const { stream: _stream, stream_options: _options, ...rest } = bodyFor(entered);
    const theirs = await x.runtime.tiers.origin.complete({ ...rest, model: versioned(other) }, journey);
    return theirs.ok ? ok(undefined) : theirs;
  });
}

function replay(x: Exchange, entered: Entered<ChatCall>, { value, outcome }: Found): Reply {
  x.trail.cache = outcome;
  x.trail.tier = "origin";
  const { call } = entered;
  const stamp = stampOf(x, entered);
  // What is kept of a chat is a record.
  const record = value as ChatRecord;
  noteUsed(x.trail, usedBy(record.parts));
  return call.stream ? replayStream(record, stamp, call.includeUsage) : replayWhole(record, stamp);
}

function stampOf(x: Exchange, { call, model }: Entered<ChatCall>): Stamp {
  const id = call.body.stream_options?.resume?.id ?? `chatcmpl-${x.requestId}`;
  return { id, model: versioned(model), created: Math.floor(x.startedMs / 1000) };
}

/** By version: the origin would take a bare name for its newest, and the answer would be kept as another version's. */
function bodyFor({ call, model }: Entered<ChatCall>) {
  return { ...call.body, model: versioned(model) };
}

function versioned({ name, version }: DeployedModel): string {
  return `${name}@${version}`;
}
