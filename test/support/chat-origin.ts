import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** An origin whose every answer the test gives itself, event by event. */
export interface ChatOrigin {
  readonly url: string;
  /** The calls it got, in order. */
  readonly calls: readonly OriginCall[];
  /** What is done with a call as it comes; default: nothing, the test answers. */
  onCall: (call: OriginCall) => void;
  close(): Promise<void>;
}

export interface OriginCall {
  readonly body: Record<string, unknown>;
  /** `Ledge-Priority`. */
  priority?: string;
  /** Whether the edge has gone before the answer was over. */
  left: boolean;
  /** Streams pieces of text, each an event. */
  say(...pieces: readonly string[]): void;
  /** Streams one event. */
  event(payload: unknown): void;
  /** Ends the stream as an engine does: why, what it cost if that was asked, `[DONE]`. */
  end(): void;
  /** Nothing more comes. */
  over(): void;
  /** Breaks the connection. */
  drop(): void;
  /** A whole answer. */
  whole(content: string): void;
  fault(status: number, code: string, retryAfterS?: number): void;
}

export async function startChatOrigin(): Promise<ChatOrigin> {
  const calls: OriginCall[] = [];
  const server = createServer(async (request, response) => {
    if (request.method !== "POST") {
      response.end();
      return;
    }
    const call = callOf(JSON.parse(await text(request)), response, calls.length + 1);
    const { "ledge-priority": priority } = request.headers;
    if (typeof priority === "string") call.priority = priority;
    response.on("close", () => {
      call.left = !response.writableFinished;
    });
    calls.push(call);
    origin.onCall(call);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin: ChatOrigin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    onCall: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return origin;
}

function callOf(body: Record<string, unknown>, response: ServerResponse, number: number): OriginCall {
  const stamp = { id: `chatcmpl-origin-${number}`, created: 1_700_000_000 + number, model: String(body.model) };
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  const wantsUsage = (body.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true;
  const event = (payload: unknown) => {
    if (!response.headersSent) response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    response.write(`data: ${payload === "[DONE]" ? payload : JSON.stringify(payload)}\n\n`);
  };
  const chunk = (delta: object, reason: string | null = null) =>
    event({
      ...stamp,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
      ...(wantsUsage ? { usage: null } : {}),
    });
  const json = (status: number, payload: unknown, more: Readonly<Record<string, string>> = {}) => {
    response.writeHead(status, { "Content-Type": "application/json", ...more });
    response.end(JSON.stringify(payload));
  };
  return {
    body,
    left: false,
    say: (...pieces) => {
      for (const content of pieces) chunk({ content });
    },
    event,
    end: () => {
      chunk({}, "stop");
      if (wantsUsage) event({ ...stamp, object: "chat.completion.chunk", choices: [], usage });
      event("[DONE]");
      response.end();
    },
    over: () => response.end(),
    drop: () => response.destroy(),
    whole: (content) => {
      const message = { role: "assistant", content, refusal: null };
      const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }];
      json(200, { ...stamp, object: "chat.completion", choices, usage });
    },
    fault: (status, code, retryAfterS) =>
      json(
        status,
        { type: "about:blank", code, title: code, status },
        retryAfterS === undefined ? {} : { "Retry-After": String(retryAfterS) },
      ),
  };
}
