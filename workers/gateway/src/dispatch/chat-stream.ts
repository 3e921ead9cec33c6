import type { ErrorCode } from "@ledge/contract";
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
  /** Called once, whatever happens. */
  readonly onEnd: (end: StreamEnd) => void;
  /** The event sent in place of what did not come. */
  readonly errorEvent: (code: ErrorCode) => string;
  /** Until the deadline. */
  readonly timeoutMs: number;
}

/**
 * Passes an engine's event stream on as it comes. A stream that dies, or runs past its deadline, says so in-band in an
 * event of its own and never ends with `[DONE]`: a client can tell a cut answer from a short one.
 *
 * Without a `passage` the stream is moved by the runtime, without JavaScript seeing a chunk: each chunk seen costs some 40 µs.
 * It can do that because the source is the origin, which ends a stream either with `[DONE]`, or with an error event, or
 * by breaking the connection, and writes events whole.
 */
export function relayEvents(
  source: ReadableStream<Uint8Array>,
  hooks: RelayHooks,
  passage?: Passage,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  if (passage === undefined) void move(source, writable, hooks);
  else void pump(source.getReader(), writable.getWriter(), passage, hooks);
  return readable;
}

/** What a stream passes through on its way to the caller. */
export interface Passage {
  /** Whether `[DONE]` was said. */
  readonly done: boolean;
  /** The whole events to pass on for the bytes that came; may be none. */
  pass(bytes: Uint8Array): Uint8Array;
}

/** Source to sink inside the runtime; only a broken or late stream comes back here. */
async function move(source: ReadableStream<Uint8Array>, writable: WritableStream<Uint8Array>, hooks: RelayHooks) {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), hooks.timeoutMs);
  let end: StreamEnd = { complete: true };
  try {
    await source.pipeTo(writable, { preventClose: true, preventAbort: true, signal: deadline.signal });
  } catch {
    end = { complete: false, code: deadline.signal.aborted ? "deadline_exceeded" : "upstream_failed" };
  }
  clearTimeout(timer);
  try {
    const writer = writable.getWriter();
    // The empty line ends an event that may have been cut: what follows must not read as a part of it.
    if (end.code !== undefined) await writer.write(encoder.encode(`\n\n${hooks.errorEvent(end.code)}`));
    await writer.close();
  } catch {
    // The caller has gone: nobody is left to tell.
    end = { complete: false };
  }
  hooks.onEnd(end);
}

/** Chunk by chunk, in whole events. */
async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  passage: Passage,
  hooks: RelayHooks,
): Promise<void> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void reader.cancel("deadline").catch(() => undefined);
  }, hooks.timeoutMs);
  try {
    const broken = await forward(reader, writer, passage);
    const end: StreamEnd =
      broken === undefined ? { complete: true } : { complete: false, code: late ? "deadline_exceeded" : broken };
    if (end.code !== undefined) await writer.write(encoder.encode(hooks.errorEvent(end.code)));
    await writer.close();
    hooks.onEnd(end);
  } catch (error) {
    // The caller has gone: nobody is left to tell, but the engine is still to be stopped.
    hooks.onEnd({ complete: false });
    await reader.cancel(error).catch(() => undefined);
  } finally {
    clearTimeout(timer);
  }
}

/** Forwards whole events until the source ends; why, when `[DONE]` was not among them. Throws when the caller has gone. */
async function forward(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  passage: Passage,
): Promise<ErrorCode | undefined> {
  let broken: unknown;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      broken = error;
      return { done: true, value: undefined };
    });
    if (done || value === undefined) {
      if (passage.done) return undefined;
      return broken instanceof EngineFault ? broken.code : "upstream_failed";
    }
    const events = passage.pass(value);
    if (events.length > 0) await writer.write(events);
  }
}

/** Events as the engine wrote them, to see how they end. */
export class EventWatch implements Passage {
  done = false;
  #rest = new Uint8Array(0);

  pass(chunk: Uint8Array): Uint8Array {
    const bytes = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk);
    const border = lastEventEnd(bytes);
    this.#rest = bytes.slice(border);
    const events = bytes.subarray(0, border);
    this.done ||= decoder
      .decode(events)
      .split("\n")
      .some((line) => /^data:\s*\[DONE\]\s*$/.test(line));
    return events;
  }
}

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
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where the last whole event ends: behind an empty line, whichever line ends the engine uses; 0 when there is none. */
function lastEventEnd(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at > 0; at--) {
    if (bytes[at] !== lf) continue;
    if (bytes[at - 1] === lf) return at + 1;
    if (bytes[at - 1] === cr && bytes[at - 2] === lf) return at + 1;
  }
  return 0;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
