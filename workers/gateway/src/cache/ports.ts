import type { CacheState, Keyring, Result } from "@ledge/contract";
import type { CacheLayer, FlightWaiter } from "@ledge/policy";
import type { Told } from "../flight-room.ts";

/**
 * Where answers are kept. What cannot be read in time or at all is a miss, what cannot be written is lost: nothing of a layer
 * ever fails a call.
 */
export interface AnswerLayer {
  readonly name: CacheLayer;
  /** `unsealed`: something lies there that is not what was put there. */
  get(address: Address): Promise<Entry | "unsealed" | undefined>;
  /** `keepS`: after so many seconds it may be forgotten. */
  put(address: Address, entry: Entry, keepS: number): Promise<void>;
}

/** Where an answer is kept: near by what was asked, far by its slot. */
export interface Address {
  /** What was asked, in clear. */
  readonly text: string;
  /** Named, and ready to be sealed. */
  readonly slot: Slot;
}

export interface Slot {
  /** `answer:<tenant's name>:<entry id>:<epoch>`, with nothing of the input in clear. */
  readonly key: string;
  seal(bytes: Uint8Array): Promise<Uint8Array>;
  /** `undefined` for bytes that were not sealed for this slot. */
  open(bytes: Uint8Array): Promise<Uint8Array | undefined>;
}

/** A kept answer: always a complete success. */
export interface Entry {
  /** 32 hex digits. */
  readonly id: string;
  /** Plain JSON, not to be changed: the next reader gets the same object. */
  readonly value: unknown;
  /** Length of its JSON, UTF-16 code units. */
  readonly chars: number;
  readonly etag: string;
  /** Number of the cache's rules known when its call began: a purge with a higher one ends it. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly freshUntilMs: number;
  readonly tags: readonly string[];
}

/** Sealed answers outside the isolate. A throw is a miss. */
export interface SealedBytes {
  get(slot: string): Promise<Uint8Array | undefined>;
  put(slot: string, bytes: Uint8Array, keep: Keep): Promise<void>;
}

export interface Keep {
  readonly keepS: number;
  readonly freshUntilMs: number;
}

/** Where the cache's rules are published. A throw means that they cannot be read. */
export interface RulesStore {
  /** A `CacheState`, not checked yet; `undefined` when nothing was ever published. */
  current(): Promise<unknown>;
  /** From their keeper itself: the rules, unless they are what the number names. */
  newerThan(number: number): Promise<CacheState | undefined>;
}

/** What tenants' keys are made of. A throw means that it cannot be reached. */
export interface Keyrings {
  /** As published, not checked yet; `undefined` when it is not there. */
  published(tenant: string): Promise<unknown>;
  /** From whoever makes them, and makes one where there is none: not older than `atLeast`. */
  made(tenant: string, atLeast: number): Promise<Keyring>;
}

/** Who can end an entry before its time. */
export interface EntryPurger {
  /** So that it serves nobody any more. A throw means that it was not done. */
  purgeEntry(tenant: string, id: string): Promise<Result<unknown>>;
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
  join(slot: string, waiter: FlightWaiter): Told | Promise<Told>;
}

export interface Flight {
  /** What equal calls have in common: the answer's slot. */
  readonly slot: string;
  /** How far equal calls wait for one another. */
  readonly reach: "everywhere" | "isolate";
  /** Since when this call waits for equal ones, milliseconds since 1970; absent: it comes now. */
  readonly sinceMs?: number;
  /** Until when this call's caller waits, milliseconds since 1970. */
  readonly deadlineMs: number;
  /** What landed before is too old for this call, milliseconds since 1970. */
  readonly landedAfterMs: number;
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal;
  /** Keeps the isolate at work for the waiters after the leader's own answer is out. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface Flown<T> {
  readonly result: Result<T>;
  /** Whether the result came from another call's work. */
  readonly collapsed: boolean;
  /** When it landed, if that was before it was asked for: milliseconds since 1970. */
  readonly landedMs?: number;
  /** Set on a fault when others have tried after the first, so that nobody need try again. */
  readonly spent?: true;
}
