import { ok, type Result } from "@ledge/contract";
import { afterEach, beforeEach, vi } from "vitest";
import { RoomFlights } from "../../workers/gateway/src/cache/flight/flights.ts";
import type { Flight, Flown } from "../../workers/gateway/src/cache/ports.ts";
import { RoomsBySlot } from "../../workers/gateway/src/flight-rooms.ts";

/** Flights in memory, with calls, engines and callers that do what a test says. */

export const text = new TextEncoder();
export const nowMs = () => Date.now();

let background: Promise<unknown>[] = [];

/** Time stands still in a file's tests, but for what they let pass. */
export function useStillTime(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    background = [];
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export function flight(more: Partial<Flight> = {}): Flight {
  const { signal } = new AbortController();
  return {
    slot: "a",
    reach: "everywhere",
    deadlineMs: nowMs() + 30_000,
    landedAfterMs: 0,
    signal,
    waitUntil: (work) => background.push(work),
    ...more,
  };
}

/** Lets everything run that waits for no timer. */
export const settle = () => vi.advanceTimersByTimeAsync(0);

export const isolate = (beyond?: RoomFlights) =>
  new RoomFlights({ rooms: new RoomsBySlot(nowMs, 0), nowMs, ...(beyond === undefined ? {} : { beyond }) });

/** Two isolates that meet in one room, as they do in a Durable Object. */
export function twoIsolates(): readonly [RoomFlights, RoomFlights] {
  const beyond = new RoomFlights({ rooms: new RoomsBySlot(nowMs, 0), nowMs });
  return [isolate(beyond), isolate(beyond)];
}

export function oneIsolate(): readonly [RoomFlights, RoomFlights] {
  const one = isolate();
  return [one, one];
}

/** A stream that its maker writes, and sees canceled. */
export function engine() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const made = { canceled: false, say: (_events: string) => {}, end: () => {}, fail: () => {}, asked: 0 };
  const work = async (): Promise<Result<ReadableStream<Uint8Array>>> => {
    made.asked++;
    return ok(
      new ReadableStream<Uint8Array>({
        start: (c) => {
          controller = c;
        },
        cancel: () => {
          made.canceled = true;
        },
      }),
    );
  };
  made.say = (events) => controller?.enqueue(text.encode(events));
  made.end = () => {
    controller?.enqueue(text.encode("data: [DONE]\n\n"));
    controller?.close();
  };
  made.fail = () => controller?.error(new Error("engine died"));
  return Object.assign(made, { work });
}

/** What a caller has read so far. */
export function reading(flown: Promise<Flown<ReadableStream<Uint8Array>>>) {
  const seen = { text: "", over: false, broke: false, collapsed: false, fault: "", leave: async () => {} };
  const read = async () => {
    const { result, collapsed } = await flown;
    seen.collapsed = collapsed;
    if (!result.ok) {
      seen.fault = result.fault.code;
      return;
    }
    const reader = result.value.getReader();
    seen.leave = () => reader.cancel();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      seen.text += new TextDecoder().decode(value);
    }
    seen.over = true;
  };
  void read().catch(() => {
    seen.broke = true;
  });
  return seen;
}

/** A whole answer that its maker gives when it likes. */
export function job() {
  const given: ((result: Result<string>) => void)[] = [];
  const signals: AbortSignal[] = [];
  const work = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<Result<string>>((resolve) => given.push(resolve));
  };
  return { work, given, signals };
}
