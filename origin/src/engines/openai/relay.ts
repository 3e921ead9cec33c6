import type { ChatUsage, Fault, FinishReason } from "@ledge/contract";
import { callServer, type EngineServer, faultOfStatus, readText, reasonOf, type ServerAnswer } from "../call-server.ts";
import type { ChatEvent } from "../engine.ts";
import { holdsAnswer } from "../said.ts";
import { readEvents } from "./read-events.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * Sends an exchange to an OpenAI-compatible server and passes on what it says, in its own words. The server learns of a reader who
 * leaves, and of the signal, by its connection being closed. A stream is whole when `[DONE]` was said; of a server that never says
 * it, when each choice has said why it ended and the connection was not cut.
 */
export async function* relay(
  server: EngineServer,
  path: string,
  body: Members,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const left = new AbortController();
  const outgoing = { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  try {
    const response = await callServer(server, path, outgoing, AbortSignal.any([signal, left.signal]));
    if (signal.aborted) return;
    if (!response.ok) yield { kind: "fault", fault: response.fault };
    else if (body.stream === true) yield* streamed(response.value, signal);
    else yield* whole(response.value, server.answerBytesMax);
  } catch (error) {
    if (!signal.aborted) yield broken(`it broke off: ${reasonOf(error)}`);
  } finally {
    left.abort();
  }
}

async function* whole(response: ServerAnswer, bytesMax: number): AsyncGenerator<ChatEvent> {
  const text = await readText(response, bytesMax);
  if (!text.ok) return yield { kind: "fault", fault: text.fault };
  const body = objectIn(text.value);
  if (!Array.isArray(body?.choices)) return yield broken("the answer is no completion");
  const account = new Account();
  account.take(body);
  yield { kind: "said", body };
  yield account.end();
}

async function* streamed(response: ServerAnswer, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  const account = new Account();
  for await (const data of readEvents(response.body)) {
    // Several events may come at once: none is said after the signal.
    if (signal.aborted) return;
    if (data === "[DONE]") return yield account.end();
    const body = objectIn(data);
    if (body === undefined) return yield broken("an event is not JSON");
    if ("error" in body) return yield { kind: "fault", fault: faultIn(body.error) };
    account.take(body);
    // What only says the usage is written anew behind the stream, for those who asked for it.
    if (!Array.isArray(body.choices) || body.choices.length > 0) yield { kind: "said", body };
  }
  yield account.isSettled ? account.end() : broken("the stream ended without [DONE]");
}

/** What the answer has used, as the server says it, or else as it was counted. */
class Account {
  #usage: ChatUsage | undefined;
  #pieces = 0;
  #reason: FinishReason = "stop";
  readonly #begun = new Set<unknown>();
  readonly #ended = new Set<unknown>();

  /** Whether every choice that has begun has said why it ended. */
  get isSettled(): boolean {
    return this.#ended.size > 0 && this.#ended.size === this.#begun.size;
  }

  take(body: Members): void {
    if (isUsage(body.usage)) this.#usage = known(body.usage);
    if (holdsAnswer(body)) this.#pieces += 1;
    for (const choice of Array.isArray(body.choices) ? body.choices : []) {
      const { index, finish_reason: reason }: Members = choice ?? {};
      this.#begun.add(index);
      if (typeof reason === "string") this.#ended.add(index);
      if (isReason(reason)) this.#reason = reason;
    }
  }

  end(): ChatEvent {
    const usage = this.#usage;
    return {
      kind: "end",
      finishReason: this.#reason,
      promptTokens: usage?.prompt_tokens ?? 0,
      completionTokens: usage?.completion_tokens ?? this.#pieces,
      ...(usage === undefined ? {} : { usage }),
    };
  }
}

function isUsage(usage: unknown): usage is ChatUsage {
  const { prompt_tokens, completion_tokens }: Partial<ChatUsage> =
    typeof usage === "object" && usage !== null ? usage : {};
  return isCount(prompt_tokens) && isCount(completion_tokens);
}

/** vLLM says `null` for details that it does not know in a whole answer, and leaves them out of a stream. */
function known(usage: ChatUsage): ChatUsage {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null)) as ChatUsage;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isReason(value: unknown): value is FinishReason {
  return value === "stop" || value === "length" || value === "tool_calls" || value === "content_filter";
}

/** An error that is said inside a stream, where the status can tell nothing any more: some servers repeat it as `code`. */
function faultIn(error: unknown): Fault {
  const { code }: { code?: unknown } = typeof error === "object" && error !== null ? error : {};
  const status = typeof code === "number" && code >= 400 && code <= 599 ? code : 500;
  return faultOfStatus({ status, headers: new Headers() }, JSON.stringify({ error }), 0);
}

function broken(what: string): ChatEvent {
  return { kind: "fault", fault: { code: "upstream_failed", cause: `engine: ${what}` } };
}

function objectIn(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
