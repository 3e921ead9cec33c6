import type { Result } from "@ledge/contract";
import type { FlightWaiter } from "@ledge/policy";
import type { Told } from "../flight-room.ts";

/** Where answers are kept beyond the isolate. A failure to read is a miss, a failure to write loses nothing. */
export interface AnswerStore {
  get(key: string): Promise<StoredAnswer | undefined>;
  put(key: string, answer: StoredAnswer): Promise<void>;
}

/** An answer as it is kept: only complete successes, with everything needed to give them again. */
export interface StoredAnswer {
  /** JSON. */
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** Equal misses wait for one of them. Nothing here fails by itself: at worst, each goes on its own. */
export interface Flights {
  /**
   * What `work` gives, done by one of the equal calls at a time. The value must survive a structured clone. A call whose
   * leader failed retryably, died or hangs past its lease leads itself, so `work` may still run here. Its signal aborts
   * when this call's caller has left and nobody else waits.
   */
  whole<T>(flight: Flight, work: (signal: AbortSignal) => Promise<Result<T>>): Promise<Flown<T>>;
  /**
   * The same for server-sent events, which every waiter gets as they come, from the first one on. They must be the same
   * bytes whoever asks, and are whole only when `data: [DONE]` is the last; a stream that does not come so far errors.
   */
  stream(
    flight: Flight,
    work: (signal: AbortSignal) => Promise<Result<ReadableStream<Uint8Array>>>,
  ): Promise<Flown<ReadableStream<Uint8Array>>>;
}

/** Where equal calls meet, by slot. A throw means that each goes on its own. */
export interface FlightRooms {
  join(slot: string, waiter: FlightWaiter): Promise<Told>;
}

export interface Flight {
  /** What equal calls have in common: the answer's slot. */
  readonly slot: string;
  /** How far equal calls wait for one another. */
  readonly reach: "everywhere" | "isolate";
  /** Until when this call's caller waits, milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal;
  /** Keeps the isolate at work for the waiters after the leader's own answer is out. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface Flown<T> {
  readonly result: Result<T>;
  /** Whether the result came from another call's work. */
  readonly collapsed: boolean;
  /** Set on a fault when others have tried after the first, so that nobody need try again. */
  readonly spent?: true;
}
