import { type ErrorCode, isErrorCode } from "@ledge/contract";
import type { ChatMeter } from "./chat-meter.ts";
import type { ChatPart } from "./chat-part.ts";
import { doneEvent } from "./chat-record.ts";
import { EngineFault, Payloads } from "./chat-share.ts";

/** How a stream of server-sent events ended. */
export interface StreamEnd {
  /** True when the engine said `[DONE]`: only then was the answer whole. */
  readonly complete: boolean;
  /** Why it is not complete; absent when the caller left. */
  readonly code?: ErrorCode;
}

export interface RelayHooks {
  /** Called once, whatever happens, before the last of the stream is written: what it answers goes before an error event, or last. */
  readonly onEnd: (end: StreamEnd) => string;
  /** The event sent in place of what did not come. */
  readonly errorEvent: (code: ErrorCode) => string;
  /** Until the deadline. */
  readonly timeoutMs: number;
}

/**
 * Passes an engine's event stream on as it comes. A stream that dies, or runs past its deadline, says so in-band in an
 * event of its own and never ends with `[DONE]`: a client can tell a cut answer from a short one. While nothing has come, a comment
 * every few seconds says that there will be something: a model may have to wake first.
 */
export function relayEvents(
  source: ReadableStream<Uint8Array>,
  hooks: RelayHooks,
  passage: Passage,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  void pump(source.getReader(), writable.getWriter(), passage, hooks);
  return readable;
}

/** What a stream passes through on its way to the caller. */
export interface Passage {
  /** Whether `[DONE]` was said. */
  readonly done: boolean;
  /** Why it ends early, where the engine has said so. */
  readonly fault?: ErrorCode | undefined;
  /** The bytes to pass on for the bytes that came; may be none. */
  pass(bytes: Uint8Array): Uint8Array;
}

/** Chunk by chunk, in whole events. */
async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  passage: Passage,
  hooks: RelayHooks,
): Promise<void> {
  let [late, begun, leftMs] = [false, false, hooks.timeoutMs];
  let timer = setTimeout(tick, Math.min(beatMs, leftMs));
  function tick() {
    leftMs -= beatMs;
    late = leftMs <= 0;
    if (late) return void reader.cancel("deadline").catch(() => undefined);
    // Who has gone is noticed by what is written next.
    if (!begun) void writer.write(beat).catch(() => undefined);
    timer = setTimeout(tick, Math.min(beatMs, leftMs));
  }
  let told = false;
  const onEnd = (end: StreamEnd) => {
    if (told) return "";
    told = true;
    return hooks.onEnd(end);
  };
  try {
    const broken = await forward(reader, passage, async (events) => {
      begun = true;
      await writer.write(events);
    });
    const end: StreamEnd =
      broken === undefined ? { complete: true } : { complete: false, code: late ? "deadline_exceeded" : broken };
    const last = onEnd(end);
    // The empty line ends an event that may have been cut: what follows must not read as a part of it.
    const text = end.code === undefined ? last : `\n\n${last}${hooks.errorEvent(end.code)}`;
    if (text !== "") await writer.write(encoder.encode(text));
    await writer.close();
  } catch (error) {
    // The caller has gone: nobody is left to tell, but the engine is still to be stopped.
    onEnd({ complete: false });
    await reader.cancel(error).catch(() => undefined);
  } finally {
    clearTimeout(timer);
  }
}

/** Forwards whole events until the source ends; why, when `[DONE]` was not among them. Throws when the caller has gone. */
async function forward(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  passage: Passage,
  write: (events: Uint8Array) => Promise<void>,
): Promise<ErrorCode | undefined> {
  let broken: unknown;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      broken = error;
      return { done: true, value: undefined };
    });
    if (done || value === undefined) {
      if (passage.done) return undefined;
      return broken instanceof EngineFault ? broken.code : (passage.fault ?? "upstream_failed");
    }
    const events = passage.pass(value);
    if (events.length > 0) await write(events);
  }
}

/**
 * An engine's events as they come, counted and not read: each byte is looked at once for where events end. What the origin says
 * of its own behind them, in a comment, is kept back (`StreamUsage`).
 */
export class EventWatch implements Passage {
  readonly #meter: ChatMeter;
  /** The last that came, by which the end is told. */
  #tail = "";
  #comment: string | undefined;
  #feeds = 2;

  constructor(meter: ChatMeter) {
    this.#meter = meter;
  }

  get done(): boolean {
    if (this.#comment !== undefined) this.#meter.say(this.#comment);
    return /(?:^|\n)data:\s*\[DONE\]\s*$/.test(this.#tail);
  }

  get fault(): ErrorCode | undefined {
    const [, code] = /"code":"([a-z_]+)"\}\}\s*$/.exec(this.#tail) ?? [];
    return isErrorCode(code) ? code : undefined;
  }

  pass(chunk: Uint8Array): Uint8Array {
    if (this.#comment !== undefined) {
      this.#comment += decoder.decode(chunk);
      return none;
    }
    const events = chunk.subarray(0, this.#commentIn(chunk));
    if (events.length < chunk.length) this.#comment = decoder.decode(chunk.subarray(events.length));
    this.#tail =
      (events.length < tailBytes ? this.#tail : "").slice(-tailBytes) + decoder.decode(events.subarray(-tailBytes));
    return events;
  }

  /** Where a comment begins that stands for an event, or the end. Counts the events before it. */
  #commentIn(chunk: Uint8Array): number {
    let feeds = this.#feeds;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === lf) {
        if (++feeds === 2) this.#meter.pieces += 1;
      } else if (byte !== cr) {
        if (feeds >= 2 && byte === colon) return at;
        feeds = 0;
      }
    }
    this.#feeds = feeds;
    return chunk.length;
  }
}

const beatMs = 5_000;
const tailBytes = 64;
const none = new Uint8Array(0);

/** Shared parts (`sharedStream`) as events for one caller. */
export class PartTeller implements Passage {
  done = false;
  readonly #payloads = new Payloads();
  readonly #eventFor: (part: ChatPart) => string;

  /** `eventFor` is called with every part, in order. */
  constructor(eventFor: (part: ChatPart) => string) {
    this.#eventFor = eventFor;
  }

  pass(bytes: Uint8Array): Uint8Array {
    let events = "";
    for (const payload of this.#payloads.of(bytes)) {
      if (payload === "[DONE]") this.done = true;
      events += payload === "[DONE]" ? doneEvent : this.#eventFor(JSON.parse(payload));
    }
    return encoder.encode(events);
  }
}

const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;
const encoder = new TextEncoder();
const beat = encoder.encode(": waiting\n\n");
const decoder = new TextDecoder();
