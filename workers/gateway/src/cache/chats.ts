import { type ChatMessage, canonicalJson } from "@ledge/contract";
import { comparableCharsMax } from "@ledge/policy";
import type { ChatCall } from "../exchange.ts";
import type { Prompt } from "./call.ts";

/** Chats in the answer cache. */

/**
 * What of a chat can change its answer: all members but which model, how it is delivered and who is billed. The rest of an answer
 * that broke off is another answer.
 */
function answerChanging({ body }: ChatCall) {
  const { model: _model, stream: _stream, stream_options: options, user: _user, metadata: _metadata, ...rest } = body;
  return options?.resume ? { ...rest, resume: options.resume } : rest;
}

export function chatText(call: ChatCall): string {
  return canonicalJson(answerChanging(call));
}

/**
 * Whether asking again may give another answer: only temperature 0 and a seed give the same. The rest of an answer is nobody
 * else's: it is kept no more than a sampled one.
 */
export function isSampled({ body: { temperature, seed, stream_options: options } }: ChatCall): boolean {
  return (temperature !== 0 && typeof seed !== "number") || Boolean(options?.resume);
}

/** The last turn, when it is a plain text that may be told from others; all the rest of the chat is its context. */
export function chatPrompt(call: ChatCall): Prompt | undefined {
  const body = answerChanging(call);
  const last = body.messages.at(-1);
  const text = last?.role === "user" ? textOf(last) : undefined;
  if (last === undefined || text === undefined || text.trim() === "" || text.length > comparableCharsMax) {
    return undefined;
  }
  const { content: _content, ...rest } = last;
  return { text, context: canonicalJson({ ...body, messages: [...body.messages.slice(0, -1), rest] }) };
}

function textOf({ content }: ChatMessage): string | undefined {
  if (typeof content === "string") return content;
  const [only, ...others] = content ?? [];
  return others.length === 0 ? only?.text : undefined;
}
