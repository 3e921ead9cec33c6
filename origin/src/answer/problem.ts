import { type ErrorOwner, errors, type Fault, headers, problemOf, retryAfterSeconds } from "@ledge/contract";
import { type Answer, jsonAnswer } from "../request.ts";

/** A fault as an HTTP answer: RFC 9457 problem details, with `Retry-After` where the fault knows when. */
export function problemAnswer(fault: Fault, requestId: string): Answer {
  const { status } = errors[fault.code];
  const { retryAfterMs, wakingMs } = fault;
  const named = {
    "Content-Type": "application/problem+json",
    ...(retryAfterMs === undefined ? {} : { [headers.retryAfter]: String(retryAfterSeconds(retryAfterMs)) }),
    ...(wakingMs === undefined ? {} : { [headers.waking]: String(Math.ceil(wakingMs)) }),
    ...(status === 401 ? { "WWW-Authenticate": "Bearer" } : {}),
  };
  return jsonAnswer(problemOf(fault, requestId), named, status);
}

const streamErrorTypes: Record<ErrorOwner, string> = {
  client: "invalid_request_error",
  config: "server_error",
  capacity: "server_error",
  upstream: "server_error",
  platform: "server_error",
};

/** A fault inside a stream that has begun: the error object OpenAI's clients look for. */
export function streamError(fault: Fault): { error: { message: string; type: string; code: string } } {
  const entry = errors[fault.code];
  return { error: { message: fault.detail ?? entry.message, type: streamErrorTypes[entry.owner], code: fault.code } };
}
