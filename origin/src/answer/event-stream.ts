import type { Fault } from "@ledge/contract";
import type { ChatEvent } from "../engines/engine.ts";
import { holdsAnswer } from "../engines/said.ts";
import type { chunkMaker } from "./completion.ts";
import { streamError } from "./problem.ts";

export interface StreamEnd {
  /** The stream has ended as it should, or with this fault, after so many pieces of text. What it answers is written last. */
  settled(end: Extract<ChatEvent, { kind: "end" }> | Fault, pieces: number): string;
  /** The reader went away. */
  cancelled(pieces: number): void;
}

const encoder = new TextEncoder();
const data = (value: unknown) => encoder.encode(`data: ${JSON.stringify(value)}\n\n`);
const done = encoder.encode("data: [DONE]\n\n");

/**
 * Server-sent events as OpenAI sends them: a chunk with the role, one for each piece of text, one with the reason it
 * ended, with `includeUsage` one with the usage, then `[DONE]`. What a server said in chunks of its own is passed on instead. A
 * stream that fails ends with an error event and no `[DONE]`, so that no reader takes half an answer for a whole one.
 */
export function eventStream(
  events: AsyncIterator<ChatEvent>,
  first: ChatEvent,
  chunks: ReturnType<typeof chunkMaker>,
  options: { readonly includeUsage: boolean } & StreamEnd,
): ReadableStream<Uint8Array> {
  let next: ChatEvent | undefined = first;
  let pieces = 0;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (first.kind !== "said") controller.enqueue(data(chunks.role()));
    },
    async pull(controller) {
      const event = next ?? (await events.next()).value;
      next = undefined;
      if (event?.kind === "text") {
        pieces += 1;
        return controller.enqueue(data(chunks.text(event.text)));
      }
      if (event?.kind === "said") {
        if (holdsAnswer(event.body)) pieces += 1;
        return controller.enqueue(data(chunks.said(event.body)));
      }
      let last: string;
      if (event?.kind === "end") {
        if (first.kind !== "said") controller.enqueue(data(chunks.finish(event)));
        if (options.includeUsage) controller.enqueue(data(chunks.usage(event)));
        controller.enqueue(done);
        last = options.settled(event, pieces);
      } else {
        const fault: Fault = event?.fault ?? { code: "upstream_failed" };
        controller.enqueue(data(streamError(fault)));
        last = options.settled(fault, pieces);
      }
      if (last !== "") controller.enqueue(encoder.encode(last));
      controller.close();
    },
    cancel() {
      options.cancelled(pieces);
    },
  });
}
