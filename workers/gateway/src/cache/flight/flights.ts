import { fail, ok, type Result } from "@ledge/contract";
import type { FlightWaiter } from "@ledge/policy";
import type { Asked, Seat, Told } from "../../flight-room.ts";
import { inTime } from "../../in-time.ts";
import type { Flight, FlightRooms, Flights, Flown } from "../ports.ts";
import { follow } from "./follow.ts";
import { lead, leadStream, type Work } from "./lead.ts";

export interface FlightsDeps {
  readonly rooms: FlightRooms;
  readonly nowMs: () => number;
  /** Asked by whoever leads here, for flights that reach everywhere; absent: the leader does the work. */
  readonly beyond?: Flights;
}

type Events = ReadableStream<Uint8Array>;
type Flow = Extract<Told, { readonly kind: "flow" }>;

/** The work itself, and whether this call has done it. */
class Alone {
  worked = false;
  readonly #work: (signal: AbortSignal) => Promise<Result<Events>>;

  constructor(work: (signal: AbortSignal) => Promise<Result<Events>>) {
    this.#work = work;
  }

  readonly work = (signal: AbortSignal): Promise<Result<Events>> => {
    this.worked = true;
    return this.#work(signal);
  };
}

/** A room that takes longer to answer is passed by, milliseconds. */
const joinMsMax = 250;

/**
 * Flights whose calls meet in `rooms`. One of them leads: does the work, or asks `beyond` for it. A room that is slow, full or
 * gone costs a waiter its company, never its answer.
 */
export class RoomFlights implements Flights {
  readonly #deps: FlightsDeps;

  constructor(deps: FlightsDeps) {
    this.#deps = deps;
  }

  async whole<T>(flight: Flight, work: (signal: AbortSignal) => Promise<Result<T>>): Promise<Flown<T>> {
    // Whoever waited here does not wait as long again beyond.
    const { sinceMs = this.#nowMs() } = flight;
    const beyond = this.#beyond(flight);
    const further: Work<T> = beyond
      ? (signal) => beyond.whole({ ...flight, sinceMs, signal }, work)
      : async (signal) => ({ result: await work(signal), collapsed: false });
    const told = await this.#told(flight, sinceMs);
    if (told.kind === "lead") return await lead(flight, told.turn, further);
    // The room holds what equal calls gave, and those give a `T`.
    if (told.kind === "landed") return shared(told.result as Result<T>, told.landedMs);
    return told.kind === "late" ? shared(fail("deadline_exceeded")) : await further(flight.signal);
  }

  async stream(flight: Flight, work: (signal: AbortSignal) => Promise<Result<Events>>): Promise<Flown<Events>> {
    const { sinceMs = this.#nowMs() } = flight;
    const alone = new Alone(work);
    const beyond = this.#beyond(flight);
    const further: Work<Events> = beyond
      ? (signal) => beyond.stream({ ...flight, sinceMs, signal }, alone.work)
      : async (signal) => ({ result: await alone.work(signal), collapsed: false });
    const told = await this.#told(flight, sinceMs);
    if (told.kind === "lead") return await leadStream(flight, told.turn, further);
    if (told.kind === "flow") return shared(ok(this.#follow(flight, told, further, alone)), told.landedMs);
    if (told.kind === "landed" && !told.result.ok) return shared(told.result);
    return told.kind === "late" ? shared(fail("deadline_exceeded")) : await further(flight.signal);
  }

  #beyond({ reach }: Flight): Flights | undefined {
    return reach === "isolate" ? undefined : this.#deps.beyond;
  }

  #follow(flight: Flight, { events, seat }: Flow, further: Work<Events>, alone: Alone): Events {
    let worked = false;
    return follow(events, {
      again: async (own) => {
        if (own && !alone.worked) return await alone.work(flight.signal);
        // What this call did itself and failed at, it leaves to others.
        if (own || worked) return fail("upstream_failed");
        const asked = await this.#wait(flight, seat, this.#nowMs());
        if (asked.kind === "flow") return ok(asked.events);
        if (asked.kind === "landed" && !asked.result.ok) return asked.result;
        worked = true;
        if (asked.kind === "lead") return (await leadStream(flight, asked.turn, further)).result;
        return asked.kind === "late" ? fail("deadline_exceeded") : (await further(flight.signal)).result;
      },
      leave: () => leave(seat),
      deadlineMs: flight.deadlineMs,
      nowMs: this.#deps.nowMs,
    });
  }

  /** What this call does now, once it is not to wait. */
  async #told(flight: Flight, sinceMs: number): Promise<Exclude<Told, { kind: "wait" }> | Late> {
    const { slot, deadlineMs, landedAfterMs, signal } = flight;
    const told = await this.#join(slot, { sinceMs, deadlineMs, landedAfterMs });
    if (told.kind !== "wait") return told;
    const { seat, untilMs } = told;
    const onLeave = () => leave(seat);
    signal.addEventListener("abort", onLeave, { once: true });
    const asked = await this.#wait(flight, seat, untilMs);
    signal.removeEventListener("abort", onLeave);
    return asked.kind === "flow" ? { ...asked, seat } : asked;
  }

  async #join(slot: string, waiter: FlightWaiter): Promise<Told> {
    const joining = this.#ask(slot, waiter).catch((): Told => onItsOwn);
    const told = await inTime(joinMsMax, joining);
    if (told !== undefined) return told;
    // What is told too late is given back, for somebody who still listens.
    void joining.then((late) => {
      if (late.kind === "lead") late.turn.leave().catch(() => undefined);
      if (late.kind === "wait" || late.kind === "flow") leave(late.seat);
    });
    return onItsOwn;
  }

  async #ask(slot: string, waiter: FlightWaiter): Promise<Told> {
    return await this.#deps.rooms.join(slot, waiter);
  }

  async #wait({ deadlineMs }: Flight, seat: Seat, firstMs: number): Promise<Exclude<Asked, { kind: "stay" }> | Late> {
    let untilMs = firstMs;
    while (this.#nowMs() < deadlineMs) {
      // Its own timer beside the room's: a room that is gone tells nobody.
      const asking = seat.ask().catch((): Asked => onItsOwn);
      const asked = (await inTime(untilMs - this.#nowMs() + joinMsMax, asking)) ?? onItsOwn;
      if (asked.kind === "alone") leave(seat);
      if (asked.kind !== "stay") return asked;
      untilMs = asked.untilMs;
    }
    leave(seat);
    return { kind: "late" };
  }

  #nowMs(): number {
    return this.#deps.nowMs();
  }
}

const onItsOwn = { kind: "alone" } as const;

/** The deadline has passed. */
interface Late {
  readonly kind: "late";
}

function leave(seat: Seat): void {
  seat.leave().catch(() => undefined);
}

function shared<T>(result: Result<T>, landedMs?: number): Flown<T> {
  const landed = landedMs === undefined ? {} : { landedMs };
  return { result, collapsed: true, ...(result.ok ? landed : { spent: true }) };
}
