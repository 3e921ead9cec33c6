import type { ChatChunk, ChatCompletion, ChatUsage, FinishReason } from "@ledge/contract";
import { eventStreamReply, jsonReply, type Reply } from "../reply.ts";

/**
 * A whole chat answer in the form it is cached in: the pieces it came in, so that a stream replays as the same chunks
 * and a caller who wants no stream gets them joined.
 */
export interface ChatRecord {
  readonly deltas: readonly string[];
  readonly finishReason: FinishReason;
  readonly usage: ChatUsage | null;
}

/** A record larger than this is not kept; recording stops early, so a long stream costs no memory. Characters. */
const recordCharsMax = 1_000_000;

/** Builds a record from the events of a stream as they pass. */
export class ChatRecorder {
  readonly #deltas: string[] = [];
  #chars = 0;
  #finishReason: FinishReason | undefined;
  #usage: ChatUsage | null = null;
  #broken = false;

  onData(payload: string): void {
    if (this.#broken) return;
    const chunk = parseChunk(payload);
    if (chunk === undefined || this.#chars > recordCharsMax) {
      this.#broken = true;
      return;
    }
    const choice = chunk.choices[0];
    const content = choice?.delta.content;
    if (content !== undefined && content !== "") {
      this.#deltas.push(content);
      this.#chars += content.length;
    }
    this.#finishReason = choice?.finish_reason ?? this.#finishReason;
    this.#usage = chunk.usage ?? this.#usage;
  }

  /** `undefined` when the stream said an error, something unknown, too much, or never said why it ended. */
  record(): ChatRecord | undefined {
    if (this.#broken || this.#finishReason === undefined) return undefined;
    return { deltas: this.#deltas, finishReason: this.#finishReason, usage: this.#usage };
  }
}

function parseChunk(payload: string): ChatChunk | undefined {
  try {
    const chunk = JSON.parse(payload);
    return Array.isArray(chunk?.choices) && chunk.error === undefined ? chunk : undefined;
  } catch {
    return undefined;
  }
}

/** The record of an answer that came whole; `undefined` when it is not one plain text answer. */
export function recordOf(json: string): ChatRecord | undefined {
  const completion = parseCompletion(json);
  const [choice, ...others] = completion?.choices ?? [];
  if (choice === undefined || others.length > 0 || typeof choice.message?.content !== "string") return undefined;
  if (choice.message.content.length > recordCharsMax) return undefined;
  return { deltas: [choice.message.content], finishReason: choice.finish_reason, usage: completion?.usage ?? null };
}

function parseCompletion(json: string): ChatCompletion | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

export interface Replay {
  readonly id: string;
  readonly model: string;
  /** Seconds since 1970. */
  readonly created: number;
}

export function replayWhole(record: ChatRecord, { id, model, created }: Replay): Reply {
  const message = { role: "assistant", content: record.deltas.join(""), refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: record.finishReason }];
  return jsonReply({ id, object: "chat.completion", created, model, choices, usage: record.usage });
}

export function replayStream(record: ChatRecord, { id, model, created }: Replay, includeUsage: boolean): Reply {
  const envelope = { id, object: "chat.completion.chunk", created, model };
  const event = (delta: object, finishReason: FinishReason | null) =>
    sse({
      ...envelope,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(includeUsage ? { usage: null } : {}),
    });
  const events = [event({ role: "assistant", content: "" }, null)];
  for (const content of record.deltas) events.push(event({ content }, null));
  events.push(event({}, record.finishReason));
  if (includeUsage) events.push(sse({ ...envelope, choices: [], usage: record.usage }));
  events.push("data: [DONE]\n\n");
  return eventStreamReply(events.join(""));
}

export function sse(payload: object): string {
  return `data: ${JSON.stringify(payload)}\n\n`;
}
