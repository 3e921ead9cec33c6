import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { type AnswerTurn, pieceEvents, streamEnd, usageOf, wholeAnswer } from "./mock-answer.ts";

/**
 * Stands behind the gateway under test, as its upstream: an OpenAI-speaking server that does what the suite tells it and
 * counts who asked. A prompt carries the id of its case (`case-…`), so that calls of different rules never mix.
 */

/** What the origin does with one call. */
export type Turn =
  | AnswerTurn
  /** An error in OpenAI's form. */
  | { readonly kind: "error"; readonly status: number; readonly hold?: Promise<unknown> }
  /** Half of the answer, then the connection breaks. */
  | { readonly kind: "cut" }
  /** Half of a stream, then a clean end that never says why: no finish reason, no `[DONE]`. */
  | { readonly kind: "silent-end" }
  /** Half of a stream, then an error event, as engines send one that die in the middle. */
  | { readonly kind: "error-event" }
  /** No answer, until the gateway gives up. */
  | { readonly kind: "hang" };

export interface OriginCall {
  /** Counts from 1 within its case. */
  readonly index: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly stream: boolean;
  /** Ledge asks its origin so: what a stream used is then told behind it, in a comment, whether the caller asked or not. */
  readonly isBilled: boolean;
}

export type Script = (call: OriginCall) => Turn;

export class MockOrigin {
  readonly url: string;
  readonly #server;
  readonly #scripts = new Map<string, Script>();
  readonly #calls = new Map<string, OriginCall[]>();

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  /** Listens on this port of 127.0.0.1; 0 takes a free one. */
  static async listen(port = 0): Promise<MockOrigin> {
    const server = createServer();
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    return new MockOrigin(server);
  }

  /** What calls of this case get from now on. */
  script(caseId: string, script: Script): void {
    this.#scripts.set(caseId, script);
  }

  /** Every call of this case so far, in the order they came. */
  calls(caseId: string): readonly OriginCall[] {
    return this.#calls.get(caseId) ?? [];
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST" || request.url?.endsWith("/chat/completions") !== true) {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end('{"status":"ready"}');
      return;
    }
    const text = await textOf(request);
    const caseId = caseIdIn(text);
    const body = JSON.parse(text) as OriginCall["body"];
    const calls = this.#calls.get(caseId) ?? [];
    this.#calls.set(caseId, calls);
    const isBilled = request.headers["ledge-payer"] !== undefined;
    const call = { index: calls.length + 1, body, stream: body.stream === true, isBilled };
    calls.push(call);
    const script = this.#scripts.get(caseId);
    await play(script?.(call) ?? plainAnswer(caseId, call), call, caseId, response);
  }
}

/** The case that a text belongs to; the last one that it names, as a history may hold others. Empty when it names none. */
export function caseIdIn(text: string): string {
  return text.match(/case-[a-z0-9]+-\d+/g)?.at(-1) ?? "";
}

/** Every call is answered otherwise, so a replayed answer is known by its text alone. */
export function plainAnswer(caseId: string, { index }: Pick<OriginCall, "index">): AnswerTurn {
  return { kind: "answer", pieces: ["Answer", ` ${index}`, " to", ` ${caseId}`, "."] };
}

async function play(turn: Turn, call: OriginCall, caseId: string, response: ServerResponse): Promise<void> {
  if (turn.kind === "hang") return;
  if (turn.kind === "error") return await playError(turn, response);
  if (turn.kind !== "answer") return playBroken(turn.kind, call, caseId, response);
  await turn.hold;
  if (!call.stream) return playWhole(JSON.stringify(wholeAnswer(turn, call)), response);
  response.writeHead(200, { "Content-Type": "text/event-stream", ...(call.isBilled ? promptSaid : {}) });
  const [first = "", ...rest] = pieceEvents(turn, call);
  const includeUsage = (call.body.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true;
  const usage = usageOf(turn);
  const later = [...rest, ...streamEnd(turn, call, includeUsage ? usage : undefined)];
  if (call.isBilled) later.push(billOf(usage));
  if (turn.wire === "odd") return await playOdd([first, ...later].join(""), response);
  response.write(first + (later.shift() ?? ""));
  await turn.holdAfterFirst;
  for (const event of later) {
    response.write(event);
    // A write of its own, as an engine's token is.
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}

/** And what the prompt was is told before it, for a stream that breaks off. */
const promptSaid = { "Ledge-Prompt-Tokens": "11" };

function billOf({ prompt_tokens: input_tokens, completion_tokens: output_tokens }: ReturnType<typeof usageOf>): string {
  return `: ledge-usage ${JSON.stringify({ input_tokens, output_tokens })}\n\n`;
}

function playWhole(json: string, response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(json) });
  response.end(json);
}

/** `code` is Ledge's own, beside OpenAI's form: its gateway passes on the faults that its origin names. */
const codes: Readonly<Record<number, string>> = {
  400: "context_length_exceeded",
  429: "overloaded",
  500: "internal_error",
  503: "overloaded",
};

async function playError({ status, hold }: Turn & { kind: "error" }, response: ServerResponse): Promise<void> {
  await hold;
  const error = { message: `The origin says ${status}.`, type: "invalid_request_error", param: null, code: null };
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ error, code: codes[status], status }));
}

function playBroken(kind: "cut" | "silent-end" | "error-event", call: OriginCall, caseId: string, to: ServerResponse) {
  const turn = plainAnswer(caseId, call);
  if (!call.stream) {
    const json = JSON.stringify(wholeAnswer(turn, call));
    to.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(json) });
    to.write(json.slice(0, json.length / 2), () => to.destroy());
    return;
  }
  to.writeHead(200, { "Content-Type": "text/event-stream" });
  const half = pieceEvents(turn, call).slice(0, 3).join("");
  if (kind === "silent-end") to.end(half);
  else if (kind === "cut") to.write(half, () => setImmediate(() => to.destroy()));
  else
    to.end(`${half}data: {"error":{"message":"The engine died.","type":"server_error","code":"upstream_failed"}}\n\n`);
}

/** Comments between events, CRLF for LF, and cuts at every seventh byte: in the middle of characters and of field names. */
async function playOdd(events: string, response: ServerResponse): Promise<void> {
  const bytes = Buffer.from(events.replaceAll("\n\n", "\n\n: still here\n\n").replaceAll("\n", "\r\n"));
  for (let at = 0; at < bytes.length; at += 7) {
    response.write(bytes.subarray(at, at + 7));
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}
