import { eventStreamReply, jsonReply, type Reply } from "../reply.ts";
import { joined, split } from "./chat-join.ts";
import { type ChatPart, membersOf, objectIn, payloadOf, type Stamp } from "./chat-part.ts";

/**
 * A whole chat answer in the form it is cached in: the parts it came in, so that a stream replays as the same chunks and a
 * caller who wants no stream gets them joined.
 */
export interface ChatRecord {
  readonly parts: readonly ChatPart[];
}

/** A record larger than this is not kept; recording stops early, so a long stream costs no memory. Characters. */
const recordCharsMax = 1_000_000;

/** Builds a record from the parts of an answer as they pass. */
export class ChatRecorder {
  #parts: ChatPart[] = [];
  #chars = 0;
  readonly #ended = new Map<number, boolean>();
  #keepable = true;

  add(part: ChatPart): void {
    if (!this.#keepable) return;
    this.#chars += typeof part === "string" ? part.length : JSON.stringify(part).length;
    this.#keepable = this.#chars <= recordCharsMax && this.#read(part);
    if (this.#keepable) this.#parts.push(part);
    else this.#parts = [];
  }

  /** Whether the part may be kept: a chunk, and not of an answer that a filter cut. */
  #read(part: ChatPart): boolean {
    const { choices } = membersOf(part);
    if (!Array.isArray(choices)) return false;
    for (const { index, finish_reason: reason } of choices) {
      if (reason === "content_filter") return false;
      this.#ended.set(index, this.#ended.get(index) === true || typeof reason === "string");
    }
    return true;
  }

  /** `undefined` when there was something unknown, too much, a filter, or a choice that never said why it ended. */
  record(): ChatRecord | undefined {
    const ended = [...this.#ended.values()];
    return this.#keepable && ended.length > 0 && ended.every(Boolean) ? { parts: this.#parts } : undefined;
  }
}

/** The parts of an answer that came whole; `undefined` when it is no completion. */
export function partsOf(json: string): readonly ChatPart[] | undefined {
  const completion = objectIn(json);
  return completion && split(completion);
}

/** The record of the parts of one answer; `undefined` when it is not to be kept. */
export function recordOf(parts: readonly ChatPart[]): ChatRecord | undefined {
  const recorder = new ChatRecorder();
  for (const part of parts) recorder.add(part);
  return recorder.record();
}

export function replayWhole({ parts }: ChatRecord, stamp: Stamp): Reply {
  return jsonReply(joined(parts, stamp));
}

export function replayStream({ parts }: ChatRecord, stamp: Stamp, includeUsage: boolean): Reply {
  const events = parts.map((part) => eventOf(part, stamp, includeUsage));
  return eventStreamReply(`${events.join("")}${doneEvent}`);
}

/** The part as an event for one caller; "" when it says nothing to it. */
export function eventOf(part: ChatPart, stamp: Stamp, includeUsage: boolean): string {
  const payload = payloadOf(part, stamp, includeUsage);
  return payload === "" ? "" : `data: ${payload}\n\n`;
}

export const doneEvent = "data: [DONE]\n\n";

export function sse(payload: unknown): string {
  return `data: ${JSON.stringify(payload)}\n\n`;
}
