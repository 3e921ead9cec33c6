/**
 * An answer before `observe` has spoken. It becomes a `Response` once, with all its headers at hand: a header set on a
 * `Response` later costs a crossing into the runtime each.
 */
export interface Reply {
  readonly status: number;
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | null;
  readonly headers: Readonly<Record<string, string>>;
}

const json = { "Content-Type": "application/json" };

export function jsonReply(value: unknown, status = 200): Reply {
  return { status, body: JSON.stringify(value), headers: json };
}

/** JSON that is text already. */
export function jsonText(body: string): Reply {
  return { status: 200, body, headers: json };
}

export function eventStreamReply(body: Reply["body"]): Reply {
  return {
    status: 200,
    body,
    headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache" },
  };
}
