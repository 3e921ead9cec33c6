import type { ErrorCode } from "@ledge/contract";

/** How a stream of server-sent events ended. */
export interface StreamEnd {
  /** True when the engine said `[DONE]`: only then was the answer whole. */
  readonly complete: boolean;
  /** Why it is not complete; absent when the caller left. */
  readonly code?: ErrorCode;
}

export interface RelayHooks {
  /** Called with the payload of every `data:` event but `[DONE]`, in order. */
  readonly onData?: (payload: string) => void;
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
 * A stream nobody records is moved by the runtime, without JavaScript seeing a chunk: each chunk seen costs some 40 µs.
 * It can do that because the source is the origin, which ends a stream either with `[DONE]`, or with an error event, or
 * by breaking the connection, and writes events whole.
 */
export function relayEvents(source: ReadableStream<Uint8Array>, hooks: RelayHooks): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  const { onData } = hooks;
  if (onData === undefined) void move(source, writable, hooks);
  else void pump(source.getReader(), writable.getWriter(), new EventWatch(onData), hooks);
  return readable;
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

/** Chunk by chunk, in whole events, for somebody who listens. */
async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  watch: EventWatch,
  hooks: RelayHooks,
): Promise<void> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void reader.cancel("deadline").catch(() => undefined);
  }, hooks.timeoutMs);
  try {
    const whole = await forward(reader, writer, watch);
    const end: StreamEnd = whole
      ? { complete: true }
      : { complete: false, code: late ? "deadline_exceeded" : "upstream_failed" };
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

/** Forwards whole events until the source ends; whether `[DONE]` was among them. Throws when the caller has gone. */
async function forward(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  watch: EventWatch,
): Promise<boolean> {
  let rest: Uint8Array | undefined;
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (done || value === undefined) return watch.done;
    const bytes = rest === undefined ? value : joined(rest, value);
    const border = lastEventEnd(bytes);
    rest = border === bytes.length ? undefined : bytes.subarray(border);
    if (border === 0) continue;
    const events = border === bytes.length ? bytes : bytes.subarray(0, border);
    watch.see(events);
    await writer.write(events);
  }
}

/** Reads events as they pass: what each carries, and whether `[DONE]` was said. */
class EventWatch {
  done = false;
  readonly #onData: (payload: string) => void;

  constructor(onData: (payload: string) => void) {
    this.#onData = onData;
  }

  see(events: Uint8Array): void {
    for (const line of decoder.decode(events).split("\n")) {
      if (!line.startsWith("data:")) continue;
      const payload = line.slice(5).trim();
      if (payload === "[DONE]") this.done = true;
      else this.#onData(payload);
    }
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
