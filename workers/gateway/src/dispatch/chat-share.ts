import { type ErrorCode, isErrorCode } from "@ledge/contract";
import { type ChatPart, objectIn, partOf } from "./chat-part.ts";
import { type ChatRecord, ChatRecorder, doneEvent, sse } from "./chat-record.ts";

/** A chat's stream in the form in which equal calls share it: each event a part, the same bytes whoever asked. */

/**
 * An engine's stream, shared, and recorded as it passes: `keep` is called when it came to its end, if it is to be kept. It
 * errors where the engine says that it failed, or ends without `[DONE]`, and then `broke` is called.
 */
export function sharedStream(
  source: ReadableStream<Uint8Array>,
  keep: (record: ChatRecord) => void,
  broke: (code: ErrorCode) => void,
): ReadableStream<Uint8Array> {
  const recorder = new ChatRecorder();
  const reader = source.getReader();
  const payloads = new Payloads();
  let ended = false;
  const next = async (): Promise<string> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("the engine's stream ended before its end");
      let events = "";
      for (const payload of payloads.of(value)) {
        ended ||= payload === "[DONE]";
        if (ended) return events + doneEvent;
        const part = partOf(payload);
        if (part === undefined) throw new EngineFault(payload);
        recorder.add(part);
        events += sse(part);
      }
      if (events !== "") return events;
    }
  };
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      try {
        if (!ended) {
          const events = encoder.encode(await next());
          const record = ended ? recorder.record() : undefined;
          if (record !== undefined) keep(record);
          return controller.enqueue(events);
        }
        controller.close();
        controller.byobRequest?.respond(0);
        await reader.cancel("it is whole");
      } catch (broken) {
        broke(broken instanceof EngineFault ? broken.code : "upstream_failed");
        await reader.cancel(broken).catch(() => undefined);
        throw broken;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** What an engine's stream said in place of a chunk: a fault with one of our codes, or nonsense. */
export class EngineFault extends Error {
  override readonly name = "EngineFault";
  readonly code: ErrorCode;

  constructor(payload: string) {
    super("the engine's stream says what is no chunk");
    const error = objectIn(payload)?.error;
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    this.code = isErrorCode(code) ? code : "upstream_failed";
  }
}

/** An answer that is here already, shared. */
export function sharedParts(parts: readonly ChatPart[]): ReadableStream<Uint8Array> {
  const events = parts.map(sse).join("") + doneEvent;
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      controller.enqueue(encoder.encode(events));
      controller.close();
    },
  });
}

/** All parts of a shared stream. Throws when it breaks off. */
export async function collected(events: ReadableStream<Uint8Array>): Promise<readonly ChatPart[]> {
  const payloads = new Payloads();
  const parts: ChatPart[] = [];
  let whole = false;
  for (const reader = events.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done && !whole) throw new Error("the stream ended before its end");
    if (done) return parts;
    for (const payload of payloads.of(value)) {
      if (payload === "[DONE]") whole = true;
      else parts.push(JSON.parse(payload));
    }
  }
}

/** The payloads of the events in a stream that is cut anywhere. */
export class Payloads {
  readonly #decoder = new TextDecoder();
  #rest = "";

  of(bytes: Uint8Array): readonly string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
  }
}

const encoder = new TextEncoder();
