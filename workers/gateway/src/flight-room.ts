import type { Fault, Result } from "@ledge/contract";
import {
  askFlight,
  type FlightState,
  type FlightWaiter,
  failFlight,
  flightIsOver,
  flightLandedMs,
  flightVacant,
  heardFlight,
  landFlight,
  leads,
  leaveFlight,
} from "@ledge/policy";
import { Flow, FlowEnd } from "./flight-flow.ts";

/** What a call is told that comes to where its equals meet. */
export type Told =
  /** Do the work, for all. */
  | { readonly kind: "lead"; readonly turn: Turn }
  /** Wait: ask `seat`, which answers at `untilMs` at the latest. */
  | { readonly kind: "wait"; readonly seat: Seat; readonly untilMs: number }
  /**
   * The leader's events, from the first one on. If they end and the last one is not `[DONE]`, ask `seat`. `landedMs`: when all
   * of it was here, if that was before this call came; milliseconds since 1970.
   */
  | {
      readonly kind: "flow";
      readonly events: ReadableStream<Uint8Array>;
      readonly seat: Seat;
      readonly landedMs?: number;
    }
  | { readonly kind: "landed"; readonly result: Result<unknown>; readonly landedMs?: number }
  /** Nothing can be had here. */
  | { readonly kind: "alone" };

/** What one is told that has a seat already; `stay` is to ask again. */
export type Asked =
  | Exclude<Told, { kind: "wait" | "flow" }>
  | { readonly kind: "flow"; readonly events: ReadableStream<Uint8Array> }
  | { readonly kind: "stay"; readonly untilMs: number };

/** The lead, in the hands of one call. */
export interface Turn {
  /** A result for all: a success, or a fault that all of them would get. `landedMs`: when it landed elsewhere, if it had. */
  land(result: Result<unknown>, landedMs?: number): Promise<void>;
  /** A fault that another might not get. Whether it was the last try, so that all get it now. */
  fail(fault: Fault): Promise<boolean>;
  /** Server-sent events for all, as they come; resolves when they have ended. A success only if the last is `[DONE]`. */
  pour(events: ReadableStream<Uint8Array>, landedMs?: number): Promise<void>;
  /** Gives the lead back, without a word about the work. */
  leave(): Promise<void>;
  /** Resolves when nobody waits for this call's work, or its turn is over. Whoever comes then begins anew. */
  deserted(): Promise<void>;
}

/** A place among those who want the answer, until they have it, lead, or leave. */
export interface Seat {
  ask(): Promise<Asked>;
  leave(): Promise<void>;
}

/**
 * Where the equal calls of one flight meet: in an isolate's memory, or in a Durable Object for all isolates. Whoever waits
 * awaits a promise of its own with a timer of its own, and decides for itself when it wakes: one whose request has ended
 * never wakes, and holds nobody up.
 */
export class FlightRoom {
  #state: FlightState = flightVacant;
  #result: Result<unknown> | undefined;
  #flow: Flow | undefined;
  #fault: Fault = { code: "upstream_failed", cause: "the stream broke off" };
  #seats = 0;
  #wakers = new Set<() => void>();
  #closed = false;
  readonly #nowMs: () => number;
  readonly #onIdle: () => void;

  /** `onIdle` is called when the room becomes idle. */
  constructor(nowMs: () => number, onIdle: () => void) {
    this.#nowMs = nowMs;
    this.#onIdle = onIdle;
  }

  /** Whether who comes now needs a new room. */
  isOver(landedAfterMs?: number): boolean {
    // What failed with nobody waiting is nothing to those who come later.
    const deserted = this.#state.kind === "vacant" && this.#seats === 0;
    return this.#closed || deserted || flightIsOver(this.#state, this.#nowMs(), landedAfterMs);
  }

  /** Whether nobody works here, or waits for work to be done. */
  get isIdle(): boolean {
    const { kind } = this.#state;
    return this.#closed || kind === "over" || (kind === "vacant" && this.#seats === 0);
  }

  join(waiter: FlightWaiter): Told {
    const told = this.#tell(waiter);
    const landedMs = flightLandedMs(this.#state);
    const before = landedMs === undefined ? {} : { landedMs };
    if (told.kind === "landed") return { ...told, ...before };
    if (told.kind === "flow") return { ...told, ...before, seat: this.#seat(waiter) };
    if (told.kind !== "stay") return told;
    return { kind: "wait", seat: this.#seat(waiter), untilMs: told.untilMs };
  }

  #tell(waiter: FlightWaiter): Asked {
    const before = this.#state;
    const [decision, state] = askFlight(before, waiter, this.#nowMs());
    this.#state = state;
    switch (decision.kind) {
      case "lead":
        this.#flow?.end();
        this.#flow = undefined;
        // A leader that is replaced has nobody waiting for it any more.
        if (before.kind === "led") this.#changed();
        return { kind: "lead", turn: this.#turn(decision.lead) };
      case "wait":
        return { kind: "stay", untilMs: decision.untilMs };
      case "flow":
        return this.#read();
      case "result":
        return this.#result === undefined ? this.#read() : { kind: "landed", result: this.#result };
      case "alone":
        return { kind: "alone" };
    }
  }

  /** Until when there is nothing to tell a waiter, unless something changes; `undefined` when there is. */
  #idleUntilMs(waiter: FlightWaiter): number | undefined {
    const [decision] = askFlight(this.#state, waiter, this.#nowMs());
    return decision.kind === "wait" ? decision.untilMs : undefined;
  }

  #read(): Asked {
    const events = this.#flow?.read();
    return events === undefined ? { kind: "alone" } : { kind: "flow", events };
  }

  #seat(waiter: FlightWaiter): Seat {
    let seated = true;
    this.#seats++;
    const stand = () => {
      if (seated) this.#seats--;
      seated = false;
    };
    return {
      ask: async () => {
        const firstMs = this.#idleUntilMs(waiter) ?? 0;
        // Asked anew each time: a new leader, or news of the old one, makes the wait longer, which the waiter must know.
        for (let untilMs = this.#idleUntilMs(waiter); seated && untilMs !== undefined && this.#nowMs() < untilMs; ) {
          if (untilMs > firstMs) return { kind: "stay", untilMs };
          await this.#change(untilMs);
          untilMs = this.#idleUntilMs(waiter);
        }
        // Whoever has left must not be handed the lead.
        if (!seated) return { kind: "alone" };
        const told = this.#tell(waiter);
        if (told.kind !== "stay" && told.kind !== "flow") stand();
        return told;
      },
      leave: async () => {
        if (!seated) return;
        stand();
        this.#changed();
      },
    };
  }

  #turn(lead: number): Turn {
    return {
      land: async (result, landedMs) => {
        this.#result ??= result;
        this.#become(landFlight(this.#state, this.#nowMs(), result.ok, landedMs));
      },
      fail: async (fault) => this.#fail(lead, fault),
      pour: (events, landedMs) => this.#pour(lead, events, landedMs),
      leave: async () => this.#become(leaveFlight(this.#state, lead)),
      deserted: async () => {
        while (leads(this.#state, lead) && this.#seats > 0) await this.#change();
        if (leads(this.#state, lead)) this.#closed = true;
        this.#changed();
      },
    };
  }

  #fail(lead: number, fault: Fault): boolean {
    this.#become(failFlight(this.#state, lead, this.#nowMs()));
    const spent = this.#state.kind === "over" && !this.#state.kept;
    if (spent) this.#result ??= { ok: false, fault };
    return spent;
  }

  async #pour(lead: number, events: ReadableStream<Uint8Array>, landedMs?: number): Promise<void> {
    const flow = new Flow();
    const end = new FlowEnd();
    const reader = events.getReader();
    try {
      if (leads(this.#state, lead)) this.#flow = flow;
      for (;;) {
        // Whatever was poured keeps the lead; the first time it also tells those who wait that they can read.
        this.#become(heardFlight(this.#state, lead, this.#nowMs(), landedMs));
        const { done, value } = await reader.read();
        if (!leads(this.#state, lead)) return await reader.cancel("replaced");
        if (done) break;
        end.see(value);
        flow.append(value);
      }
      if (end.reached) this.#become(landFlight(this.#state, this.#nowMs(), true, landedMs));
      else this.#fail(lead, this.#fault);
    } catch {
      // The leader's isolate or request is gone, not its engine.
      this.#become(leaveFlight(this.#state, lead));
    } finally {
      flow.end();
    }
  }

  #become(state: FlightState): void {
    const before = this.#state;
    this.#state = state;
    // That a leader was heard of again is news to nobody who waits.
    if (state.kind !== before.kind || (state.kind === "led" && before.kind === "led" && state.flows !== before.flows)) {
      this.#changed();
    }
  }

  #changed(): void {
    for (const wake of [...this.#wakers]) wake();
    if (this.isIdle) this.#onIdle();
  }

  /** A promise of the caller's own, settled at the next change or by its own timer. */
  #change(untilMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = untilMs === undefined ? null : setTimeout(wake, Math.max(0, untilMs - this.#nowMs()));
      const wakers = this.#wakers;
      function wake() {
        if (timer !== null) clearTimeout(timer);
        wakers.delete(wake);
        resolve();
      }
      wakers.add(wake);
    });
  }
}
