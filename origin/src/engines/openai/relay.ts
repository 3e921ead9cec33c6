import type { ChatUsage, Fault, FinishReason } from "@ledge/contract";
import { callServer, type EngineServer, faultOfStatus, readText, reasonOf, type ServerAnswer } from "../call-server.ts";
import type { ChatEvent, Say } from "../engine.ts";
import { holdsAnswer } from "../said.ts";
import { EventReader } from "./event-reader.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * Sends an exchange to an OpenAI-compatible server and passes on what it says, in its own words. The server learns of the signal by
 * its connection being closed. A stream is whole when `[DONE]` was said; of a server that never says it, when each choice has said why
 * it ended and the connection was not cut.
 */
export async function relay(
  server: EngineServer,
  path: string,
  body: Members,
  signal: AbortSignal,
  say: Say,
): Promise<void> {
  const outgoing = { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  try {
    const response = await callServer(server, path, outgoing, signal);
    if (signal.aborted) return;
    if (!response.ok) say({ kind: "fault", fault: response.fault });
    else if (body.stream === true) await streamed(response.value, signal, say);
    else await whole(response.value, server.answerBytesMax, say);
  } catch (error) {
    if (!signal.aborted) say(broken(`it broke off: ${reasonOf(error)}`));
  }
}

async function whole(response: ServerAnswer, bytesMax: number, say: Say): Promise<void> {
  const text = await readText(response, bytesMax);
  if (!text.ok) return say({ kind: "fault", fault: text.fault });
  const body = objectIn(text.value);
  if (!Array.isArray(body?.choices)) return say(broken("the answer is no completion"));
  const account = new Account();
  account.take(body);
  say({ kind: "said", body });
  say(account.end());
}

/** Resolves once the stream is over, whatever the server still sends. Rejects when it breaks off. */
function streamed({ body }: ServerAnswer, signal: AbortSignal, say: Say): Promise<void> {
  return new Promise((resolve, reject) => {
    const account = new Account();
    let isOver = false;
    const over = (event: ChatEvent) => {
      isOver = true;
      if (event.kind === "end") leave(body);
      else body.destroy();
      say(event);
      resolve();
    };
    const reader = new EventReader((data) => {
      // Several events may come at once: none is said after the signal, or the end.
      if (isOver || signal.aborted) return;
      if (data === "[DONE]") return over(account.end());
      const said = objectIn(data);
      if (said === undefined) return over(broken("an event is not JSON"));
      if ("error" in said) return over({ kind: "fault", fault: faultIn(said.error) });
      account.take(said);
      // What only says the usage is written anew behind the stream, for those who asked for it.
      if (!Array.isArray(said.choices) || said.choices.length > 0) say({ kind: "said", body: said });
    });
    const whenWell = (step: () => void) => {
      try {
        if (!isOver) step();
      } catch (error) {
        isOver = true;
        body.destroy();
        reject(error);
      }
    };
    body.on("data", (bytes: Buffer) => whenWell(() => reader.push(bytes)));
    body.on("end", () => {
      whenWell(() => reader.end());
      whenWell(() => over(account.isSettled ? account.end() : broken("the stream ended without [DONE]")));
    });
    body.on("error", reject);
    body.on("close", () => reject(new Error("the connection was closed")));
  });
}

/** What may still come behind the end, milliseconds: then the connection is given up. */
const restMsMax = 1_000;

/** Lets an answer that is over end by itself, so that its connection can be used again. */
function leave(body: ServerAnswer["body"]): void {
  if (body.readableEnded) return;
  const timer = setTimeout(() => body.destroy(), restMsMax);
  body.once("close", () => clearTimeout(timer));
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
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
