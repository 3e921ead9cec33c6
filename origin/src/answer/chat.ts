import { chatRequest, completionRequest, headers, parse, type Result } from "@ledge/contract";
import { readJson } from "../accept/body.ts";
import { orCalledOff } from "../call-off.ts";
import { attemptChat } from "../engines/chat-attempt.ts";
import type { PreparedChat } from "../engines/engine.ts";
import type { Registry, Seat } from "../engines/registry.ts";
import { jsonAnswer, type OriginCall, type Outcome } from "../request.ts";
import { Bill } from "./bill.ts";
import { ChatStream } from "./chat-stream.ts";
import { type CompletionHead, WholeAnswer } from "./completion.ts";

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

/** What is left to do of an exchange whose turn it is. */
interface Turn {
  readonly chat: PreparedChat;
  readonly head: CompletionHead;
  readonly tags: Readonly<Record<string, string>>;
  readonly bill: Bill;
  /** Gives the engine's place to the next. */
  readonly leave: () => void;
}

type Prepare = (registry: Registry, body: unknown) => Promise<Result<Exchange>>;

/** `POST /v1/chat/completions`, whole or streamed. */
export function answerChat(call: OriginCall): Promise<Outcome> {
  return answerText(call, prepareChat);
}

/** `POST /v1/completions`, whole or streamed, where the engine is a server that has it. */
export function answerCompletion(call: OriginCall): Promise<Outcome> {
  return answerText(call, prepareCompletion);
}

async function answerText(call: OriginCall, prepare: Prepare): Promise<Outcome> {
  const { nowMs, newId } = call.stage;
  const { signal } = call.deadline;
  const { facts } = call.record;
  const exchange = await orCalledOff(readExchange(call, prepare), signal);
  if (!exchange.ok) return exchange;
  const { request, seat, chat } = exchange.value;
  const { name, version } = seat.engine.model;
  facts.model = `${name}@${version}`;
  const permit = await seat.gate.enter(signal);
  if (!permit.ok) return permit;
  facts.queueMs = Math.round(permit.value.queuedMs);
  const resumedId = request.stream_options?.resume?.id;
  const head: CompletionHead = {
    id: resumedId ?? `chatcmpl-${newId()}`,
    created: Math.floor(nowMs() / 1000),
    model: request.model,
    resumed: resumedId !== undefined,
  };
  const tags = { [headers.model]: facts.model, [headers.tier]: "origin" };
  const bill = new Bill(call, seat.engine.model, chat.promptTokens);
  const turn: Turn = { chat, head, tags, bill, leave: permit.value.leave };
  return request.stream === true
    ? streamed(call, turn, request.stream_options?.include_usage === true)
    : whole(call, turn);
}

async function readExchange({ stage, incoming, bodySha256 }: OriginCall, prepare: Prepare): Promise<Result<Exchange>> {
  const body = await readJson(incoming, stage.bodyBytesMax, bodySha256);
  return body.ok ? prepare(stage.registry, body.value) : body;
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

async function whole({ record, deadline: { signal } }: OriginCall, turn: Turn): Promise<Outcome> {
  const made = new WholeAnswer(turn.head);
  const attempt = attemptChat(turn.chat.run, signal, turn.leave, (event) => made.take(event));
  const answer = await orCalledOff(
    attempt.then(() => made.result()),
    signal,
  );
  if (!answer.ok) return answer;
  const { body, end } = answer.value;
  record.facts.promptTokens = end.promptTokens;
  record.facts.completionTokens = end.completionTokens;
  const { run_ms } = turn.bill.pay(end.completionTokens, undefined, end.promptTokens);
  return jsonAnswer(body, { ...turn.tags, [headers.runMs]: String(run_ms) });
}

/** The status waits for the first event: what fails before the first token is still told by a status. */
function streamed(call: OriginCall, { chat, head, tags, bill, leave }: Turn, includeUsage: boolean): Promise<Outcome> {
  const { promptTokens } = chat;
  const counted = promptTokens === undefined ? {} : { [headers.promptTokens]: String(promptTokens) };
  return new Promise((resolve) => {
    const stream = new ChatStream(call, bill, head, { includeUsage, tags: { ...tags, ...counted }, begun: resolve });
    void attemptChat(chat.run, call.deadline.signal, leave, (event) => stream.take(event));
  });
}
