import { type ChatRequest, chatRequest, fail, headers, parse, type Result, streamUsageMark } from "@ledge/contract";
import { readJson } from "../accept/body.ts";
import { orCalledOff } from "../call-off.ts";
import { attemptChat } from "../engines/chat-attempt.ts";
import type { ChatEvent, PreparedChat } from "../engines/engine.ts";
import type { Seat } from "../engines/registry.ts";
import type { OriginContext } from "../request.ts";
import { Bill } from "./bill.ts";
import { type CompletionHead, chunkMaker, completionOf } from "./completion.ts";
import { eventStream } from "./event-stream.ts";

type Failed = ReturnType<typeof fail>;

interface Exchange {
  readonly request: ChatRequest;
  readonly seat: Seat;
  readonly chat: PreparedChat;
}

/** `POST /v1/chat/completions`, whole or streamed. */
export async function answerChat(context: OriginContext): Promise<Response | Failed> {
  const exchange = await prepare(context);
  if (!exchange.ok) return exchange;
  const { request, seat, chat } = exchange.value;
  const { nowMs, newId } = context.get("stage");
  const { signal } = context.get("deadline");
  const { facts } = context.get("record");
  const { name, version } = seat.engine.model;
  facts.model = `${name}@${version}`;
  const permit = await seat.gate.enter(signal);
  if (!permit.ok) return permit;
  facts.queueMs = Math.round(permit.value.queuedMs);
  const events = attemptChat(chat.run, signal, permit.value.leave);
  const head = { id: `chatcmpl-${newId()}`, created: Math.floor(nowMs() / 1000), model: request.model };
  const tags = { [headers.model]: facts.model, [headers.tier]: "origin" };
  const bill = new Bill(context, seat.engine.model, chat.promptTokens);
  return request.stream === true
    ? streamed(context, events, head, { tags, bill, includeUsage: request.stream_options?.include_usage === true })
    : whole(context, events, head, { tags, bill });
}

async function prepare(context: OriginContext): Promise<Result<Exchange>> {
  const { registry, bodyBytesMax } = context.get("stage");
  const body = await orCalledOff(
    readJson(context.req.raw, bodyBytesMax, context.get("bodySha256")),
    context.get("deadline").signal,
  );
  if (!body.ok) return body;
  const request = parse(chatRequest, body.value);
  if (!request.ok) return request;
  const seat = registry.find(request.value.model, "chat");
  if (!seat.ok) return seat;
  const chat = seat.value.engine.chat(request.value);
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
  facts.promptTokens = answer.value.usage.prompt_tokens;
  facts.completionTokens = answer.value.usage.completion_tokens;
  const { run_ms } = bill.pay(answer.value.usage.completion_tokens);
  return Response.json(answer.value, { headers: { ...tags, [headers.runMs]: String(run_ms) } });
}

/** The status waits for the first event: what fails before the first token is still told by a status. */
async function streamed(
  context: OriginContext,
  source: AsyncIterable<ChatEvent>,
  head: CompletionHead,
  options: { readonly tags: Record<string, string>; readonly bill: Bill; readonly includeUsage: boolean },
): Promise<Response | Failed> {
  const record = context.get("record");
  const deadline = context.get("deadline");
  const events = source[Symbol.asyncIterator]();
  const first = (await events.next()).value as ChatEvent | undefined;
  if (first === undefined) return fail("upstream_failed");
  if (first.kind === "fault") return { ok: false, fault: first.fault };
  record.streaming = true;
  const body = eventStream(events, first, chunkMaker(head, options.includeUsage), {
    includeUsage: options.includeUsage,
    settled: (end, pieces) => {
      deadline.clear();
      const used = "code" in end ? options.bill.pay(pieces, end.code) : options.bill.pay(end.completionTokens);
      if ("code" in end) record.fault(end);
      else {
        record.facts.promptTokens = end.promptTokens;
        record.facts.completionTokens = end.completionTokens;
      }
      record.finish(200);
      return options.bill.isWanted ? `${streamUsageMark}${JSON.stringify(used)}\n\n` : "";
    },
    cancelled: (pieces) => {
      options.bill.pay(pieces, "canceled");
      deadline.callOff("disconnected");
      record.facts.code = "client_closed";
      record.finish(499);
    },
  });
  const streamHeaders = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    [headers.promptTokens]: String(options.bill.promptTokens),
    ...options.tags,
  };
  return new Response(body, { headers: streamHeaders });
}
