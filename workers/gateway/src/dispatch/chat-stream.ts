import type { ErrorCode } from "@ledge/contract";

/** How a stream of server-sent events ended. */
export interface StreamEnd {
  /** True when the engine said `[DONE]`: only then was the answer whole. */
  readonly complete: boolean;
}

export interface RelayHooks {
  /** Called with the payload of every `data:` event but `[DONE]`, in order. */
  readonly onData?: (payload: string) => void;
  /** Called once, whatever happens. */
  readonly onEnd: (end: StreamEnd) => void;
  /** The event sent in place of what did not come; `undefined` passes for a caller that has gone away. */
  readonly errorEvent: (code: ErrorCode) => string;
  /** Whether the deadline has passed: then a broken stream is late, not failed. */
  readonly late: () => boolean;
}

/**
 * Passes an engine's event stream on as it comes, in whole events only. A stream that dies says so in-band, in an event
 * of its own, and never ends with `[DONE]`: a client can tell a cut answer from a short one.
 */
export function relayEvents(source: ReadableStream<Uint8Array>, hooks: RelayHooks): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = "";
  let done = false;
  let ended = false;
  const end = (complete: boolean) => {
    if (ended) return;
    ended = true;
    hooks.onEnd({ complete });
  };
  const watch = (events: string) => {
    for (const line of events.split("\n")) {
      if (!line.startsWith("data:")) continue;
      const payload = line.slice(5).trim();
      if (payload === "[DONE]") done = true;
      else hooks.onData?.(payload);
    }
  };
  const broken = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    controller.enqueue(encoder.encode(hooks.errorEvent(hooks.late() ? "deadline_exceeded" : "upstream_failed")));
    controller.close();
    end(false);
  };

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        for (;;) {
          const { done: over, value } = await reader.read();
          if (over) {
            if (!done) return broken(controller);
            controller.close();
            return end(true);
          }
          const text = rest + decoder.decode(value, { stream: true });
          const border = lastEventEnd(text);
          rest = text.slice(border);
          if (border === 0) continue;
          const events = text.slice(0, border);
          watch(events);
          controller.enqueue(encoder.encode(events));
          return;
        }
      } catch {
        broken(controller);
      }
    },
    async cancel(reason) {
      end(false);
      await reader.cancel(reason);
    },
  });
}

/** Where the last whole event ends: behind an empty line, whichever line ends the engine uses; 0 when there is none. */
function lastEventEnd(text: string): number {
  const lf = text.lastIndexOf("\n\n");
  const crlf = text.lastIndexOf("\r\n\r\n");
  return Math.max(lf < 0 ? 0 : lf + 2, crlf < 0 ? 0 : crlf + 4);
}
