import { type ErrorCode, errors, type Fault, isErrorCode } from "@ledge/contract";
import type { Answered } from "../send/attempt.ts";

/**
 * A stream whose answer is still to come: what fails now has no status any more, and is told by an event, as an origin tells it. Its
 * reader says to its own that it waits.
 */
export function longStream(
  answering: Promise<Answered | Fault>,
  waitUntil: (work: Promise<unknown>) => void,
): Response {
  const { readable, writable } = new IdentityTransformStream();
  // Who reads it may leave at any time: nobody is left to tell then.
  waitUntil(pour(answering, writable).catch(() => undefined));
  return new Response(readable, {
    headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store" },
  });
}

async function pour(answering: Promise<Answered | Fault>, into: WritableStream<Uint8Array>): Promise<void> {
  const answer = await answering;
  if ("response" in answer && answer.response.status < 400 && answer.response.body !== null) {
    await answer.response.body.pipeTo(into);
    return;
  }
  const code = "response" in answer ? await codeOf(answer.response) : answer.code;
  const writer = into.getWriter();
  const error = { message: errors[code].message, type: "server_error", code };
  await writer.write(new TextEncoder().encode(`data: ${JSON.stringify({ error })}\n\n`));
  await writer.close();
}

async function codeOf(response: Response): Promise<ErrorCode> {
  const { code } = await response.json<{ readonly code?: unknown }>().catch(() => ({ code: undefined }));
  return isErrorCode(code) ? code : "upstream_failed";
}
