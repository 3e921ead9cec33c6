import { type ErrorOwner, errors, type Fault, headers, problemOf, retryAfterSeconds } from "@ledge/contract";

/** A fault as an HTTP answer: RFC 9457 problem details, with `Retry-After` where the fault knows when. */
export function problemResponse(fault: Fault, requestId: string): Response {
  const answer = Response.json(problemOf(fault, requestId), { status: errors[fault.code].status });
  answer.headers.set("Content-Type", "application/problem+json");
  if (fault.retryAfterMs !== undefined) {
    answer.headers.set(headers.retryAfter, String(retryAfterSeconds(fault.retryAfterMs)));
  }
  if (fault.wakingMs !== undefined) answer.headers.set(headers.waking, String(Math.ceil(fault.wakingMs)));
  if (errors[fault.code].status === 401) answer.headers.set("WWW-Authenticate", "Bearer");
  return answer;
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
