import { canonicalJson } from "@ledge/contract";
import type { ChatCall } from "../exchange.ts";

/** Chats in the answer cache. */

/** What of a chat can change its answer: all members but which model, how it is delivered and who is billed. */
export function chatText({ body }: ChatCall): string {
  const { model: _model, stream: _stream, stream_options: _options, user: _user, metadata: _metadata, ...rest } = body;
  return canonicalJson(rest);
}

/** Whether asking again may give another answer: only temperature 0 and a seed give the same. */
export function isSampled({ body: { temperature, seed } }: ChatCall): boolean {
  return temperature !== 0 && typeof seed !== "number";
}
