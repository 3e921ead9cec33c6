import { chatRequest, completionRequest, fail, headers, parse, type Result, streamUsageMark } from "@ledge/contract";
import { readJson } from "../accept/body.ts";
import { orCalledOff } from "../call-off.ts";
import { attemptChat } from "../engines/chat-attempt.ts";
import type { ChatEvent, PreparedChat } from "../engines/engine.ts";
import type { Registry, Seat } from "../engines/registry.ts";
import { type OriginContext, sentBy } from "../request.ts";
import { Bill } from "./bill.ts";
import { type CompletionHead, chunkMaker, completionOf } from "./completion.ts";
import { eventStream } from "./event-stream.ts";

type Failed = ReturnType<typeof fail>;

interface StreamOptions {
  readonly include_usage?: boolean | undefined;
  /** Of the stream that this one goes on with. */
  readonly resume?: { readonly id?: string | undefined } | null | undefined;
}

/** What both kinds of request say of how they want to be answered. */
interface Asked {
  readonly model: string;
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: StreamOptions | null | undefined;
}

interface Exchange {
  readonly request: Asked;
  readonly seat: Seat;
  readonly chat: PreparedChat;
}

type Prepare = (registry: Registry, body: unknown) => Promise<Result<Exchange>>;

/** `POST /v1/chat/completions`, whole or streamed. */
export function answerChat(context: OriginContext): Promise<Response | Failed> {
  return answerText(context, prepareChat);
}

/** `POST /v1/completions`, whole or streamed, where the engine is a server that has it. */
export function answerCompletion(context: OriginContext): Promise<Response | Failed> {
  return answerText(context, prepareCompletion);
}

async function answerText(context: OriginContext, prepare: Prepare): Promise<Response | Failed> {
  const { registry, bodyBytesMax, nowMs, newId } = context.get("stage");
  const { signal } = context.get("deadline");
  const { facts } = context.get("record");
  const body = await orCalledOff(readJson(sentBy(context), bodyBytesMax, context.get("bodySha256")), signal);
  if (!body.ok) return body;
  const exchange = await orCalledOff(prepare(registry, body.value), signal);
  if (!exchange.ok) return exchange;
  const { request, seat, chat } = exchange.value;
  const { name, version } = seat.engine.model;
  facts.model = `${name}@${version}`;
  const permit = await seat.gate.enter(signal);
  if (!permit.ok) return permit;
  facts.queueMs = Math.round(permit.value.queuedMs);
  const events = attemptChat(chat.run, signal, permit.value.leave);
  const resumedId = request.stream_options?.resume?.id;
  const head: CompletionHead = {
    id: resumedId ?? `chatcmpl-${newId()}`,
    created: Math.floor(nowMs() / 1000),
    model: request.model,
    resumed: resumedId !== undefined,
  };
  const tags = { [headers.model]: facts.model, [headers.tier]: "origin" };
  const bill = new Bill(context, seat.engine.model, chat.promptTokens);
  const { promptTokens } = chat;
  const counted = promptTokens === undefined ? {} : { [headers.promptTokens]: String(promptTokens) };
  const includeUsage = request.stream_options?.include_usage === true;
  return request.stream === true
    ? streamed(context, events, head, { tags: { ...tags, ...counted }, bill, includeUsage })
    : whole(context, events, head, { tags, bill });
}

async function prepareChat(registry: Registry, body: unknown): Promise<Result<Exchange>> {
  const request = parse(chatRequest, body);
  if (!request.ok) return request;
  const seat = registry.find(request.value.model, "chat");
  if (!seat.ok) return seat;
  const chat = await seat.value.engine.chat(request.value);
  return chat.ok ? { ok: true, value: { request: request.value, seat: seat.value, chat: chat.value } } : chat;
}

async function prepareCompletion(registry: Registry, body: unknown): Promise<Result<Exchange>> {
  const request = parse(completionRequest, body);
  if (!request.ok) return request;
  const seat = registry.find(request.value.model, "complete");
  if (!seat.ok) return seat;
  const chat = await seat.value.engine.complete(request.value);
  return chat.ok ? { ok: true, value: { request: request.value, seat: seat.value, chat: chat.value } } : chat;
}

async function whole(
  context: OriginContext,
  events: AsyncIterable<ChatEvent>,
  head: CompletionHead,
  { tags, bill }: { readonly tags: Record<string, string>; readonly bill: Bill },
): Promise<Response | Failed> {
  const { facts } = context.get("record");
  const answer = await orCalledOff(completionOf(head, events), context.get("deadline").signal);
  if (!answer.ok) return answer;
  const { body, end } = answer.value;
  facts.promptTokens = end.promptTokens;
  facts.completionTokens = end.completionTokens;
  const { run_ms } = bill.pay(end.completionTokens, undefined, end.promptTokens);
  return Response.json(body, { headers: { ...tags, [headers.runMs]: String(run_ms) } });
}

/** The status waits for the first event: what fails before the first token is still told by a status. */
async function streamed(
  context: OriginContext,
  source: AsyncIterable<ChatEvent>,
  head: CompletionHead,
  options: { readonly tags: Record<string, string>; readonly bill: Bill; readonly includeUsage: boolean },
): Promise<Response | Failed> {
  const { bill, includeUsage } = options;
  const record = context.get("record");
  const deadline = context.get("deadline");
  const events = source[Symbol.asyncIterator]();
  const first = (await events.next()).value as ChatEvent | undefined;
  if (first === undefined) return fail("upstream_failed");
  if (first.kind === "fault") return { ok: false, fault: first.fault };
  record.streaming = true;
  const body = eventStream(events, first, chunkMaker(head, includeUsage), {
    includeUsage,
    settled: (end, pieces) => {
      deadline.clear();
      const used =
        "code" in end ? bill.pay(pieces, end.code) : bill.pay(end.completionTokens, undefined, end.promptTokens);
      if ("code" in end) record.fault(end);
      else {
        record.facts.promptTokens = end.promptTokens;
        record.facts.completionTokens = end.completionTokens;
      }
      record.finish(200);
      return bill.isWanted ? `${streamUsageMark}${JSON.stringify(used)}\n\n` : "";
    },
    cancelled: (pieces) => {
      bill.pay(pieces, "canceled");
      deadline.callOff("disconnected");
      record.facts.code = "client_closed";
      record.finish(499);
    },
  });
  const streamHeaders = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    ...options.tags,
  };
  return new Response(body, { headers: streamHeaders });
}
