import {
  type ChatChunk,
  type ChatCompletion,
  chatRequest,
  fail,
  generateRequest,
  ok,
  parse,
  type Result,
} from "@ledge/contract";
import type { ChatCall, DeployedModel } from "../../exchange.ts";
import { jsonReply, type Reply } from "../../reply.ts";
import { modelAt } from "./frame.ts";

/** The generate extension: one text in, one text out, whole or as a stream, answered as a chat of one message. */
export interface GenerateAsked {
  readonly call: ChatCall;
  readonly id?: string;
}

/** Errors: `model_not_found`, `invalid_request`. */
export function acceptGenerate(
  model: string,
  version: string | undefined,
  stream: boolean,
  body: unknown,
): Result<GenerateAsked> {
  const ref = modelAt(model, version);
  if (!ref.ok) return ref;
  const request = parse(generateRequest, body);
  if (!request.ok) return request;
  const { id, text_input: content, parameters, stream: _stream, ...beside } = request.value;
  const { stream: _streamToo, ...inside } = parameters ?? {};
  const messages = [{ role: "user", content }];
  const chat = parse(chatRequest, { ...beside, ...inside, model, messages, stream });
  if (!chat.ok) return chat;
  const call: ChatCall = { task: "chat", model: ref.value, body: chat.value, stream, includeUsage: false };
  return ok({ call, ...(id === undefined ? {} : { id }) });
}

type Stamp = Readonly<Record<string, string>>;

function stampOf({ id }: GenerateAsked, model: DeployedModel): Stamp {
  return { ...(id === undefined ? {} : { id }), model_name: model.name, model_version: model.version };
}

/** A chat's reply in the extension's form. Errors: `upstream_failed` when it holds no text. */
export async function presentGenerated(
  asked: GenerateAsked,
  model: DeployedModel,
  chat: Reply,
): Promise<Result<Reply>> {
  const stamp = stampOf(asked, model);
  const { body } = chat;
  if (asked.call.stream) {
    const events = body instanceof ReadableStream ? body : new Blob(body === null ? [] : [body]).stream();
    return ok({ ...chat, body: events.pipeThrough(new TransformStream(new EventRewriter(stamp))) });
  }
  const text = typeof body === "string" ? contentOf(body) : undefined;
  if (text === undefined) return fail("upstream_failed", { cause: "the chat's answer holds no text" });
  return ok(jsonReply({ ...stamp, text_output: text }));
}

function contentOf(json: string): string | undefined {
  const completion = parsed<ChatCompletion>(json);
  const content = completion?.choices?.[0]?.message?.content;
  return typeof content === "string" ? content : undefined;
}

/** Chat events in, the extension's events out: a piece of text each, or `{"error"}` in place of what did not come. */
class EventRewriter implements Transformer<Uint8Array, Uint8Array> {
  readonly #stamp: Stamp;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #rest = "";

  constructor(stamp: Stamp) {
    this.#stamp = stamp;
  }

  transform(chunk: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    let events = "";
    for (const line of lines) {
      const event = line.startsWith("data:") ? this.#event(line.slice(5).trim()) : undefined;
      if (event !== undefined) events += `data: ${JSON.stringify(event)}\n\n`;
    }
    if (events !== "") controller.enqueue(this.#encoder.encode(events));
  }

  /** `undefined` for what carries no text: the role, the end, and `[DONE]`, which the extension does not have. */
  #event(payload: string): object | undefined {
    if (payload === "[DONE]") return undefined;
    const chunk = parsed<ChatChunk & { error?: { message?: string; code?: string } }>(payload);
    if (chunk?.error !== undefined) return { error: `${chunk.error.code}: ${chunk.error.message}` };
    const content = chunk?.choices?.[0]?.delta?.content;
    return typeof content === "string" && content !== "" ? { ...this.#stamp, text_output: content } : undefined;
  }
}

function parsed<T>(json: string): Partial<T> | undefined {
  try {
    return JSON.parse(json) ?? undefined;
  } catch {
    return undefined;
  }
}
