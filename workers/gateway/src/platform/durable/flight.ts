import { DurableObject, RpcTarget } from "cloudflare:workers";
import type { Fault, Result } from "@ledge/contract";
import { type FlightWaiter, flightKeptMs } from "@ledge/policy";
import type { GatewayEnv } from "../../env.ts";
import type { Asked, Seat, Told, Turn } from "../../flight-room.ts";
import { RoomsBySlot } from "../../flight-rooms.ts";

/**
 * Where the equal calls of all isolates meet. Nothing is stored: what dies with it is company. An answer is remembered a little
 * longer than it is waited for.
 */
export class Flight extends DurableObject<GatewayEnv> {
  readonly #rooms = new RoomsBySlot(Date.now, flightKeptMs);

  join(slot: string, waiter: FlightWaiter): Told {
    return sent(this.#rooms.join(slot, waiter));
  }
}

function sent(told: Told): Told {
  if (told.kind === "lead") return { ...told, turn: new SentTurn(told.turn) };
  return told.kind === "wait" || told.kind === "flow" ? { ...told, seat: new SentSeat(told.seat) } : told;
}

/** A turn whose holder may die: the runtime then disposes of it. */
class SentTurn extends RpcTarget implements Turn {
  readonly #turn: Turn;

  constructor(turn: Turn) {
    super();
    this.#turn = turn;
  }

  land(result: Result<unknown>, landedMs?: number): Promise<void> {
    return this.#turn.land(result, landedMs);
  }

  fail(fault: Fault): Promise<boolean> {
    return this.#turn.fail(fault);
  }

  pour(events: ReadableStream<Uint8Array>, landedMs?: number): Promise<void> {
    return this.#turn.pour(events, landedMs);
  }

  leave(): Promise<void> {
    return this.#turn.leave();
  }

  deserted(): Promise<void> {
    return this.#turn.deserted();
  }

  [Symbol.dispose](): void {
    void this.#turn.leave();
  }
}

class SentSeat extends RpcTarget implements Seat {
  readonly #seat: Seat;

  constructor(seat: Seat) {
    super();
    this.#seat = seat;
  }

  async ask(): Promise<Asked> {
    const asked = await this.#seat.ask();
    return asked.kind === "lead" ? { ...asked, turn: new SentTurn(asked.turn) } : asked;
  }

  leave(): Promise<void> {
    return this.#seat.leave();
  }

  [Symbol.dispose](): void {
    void this.#seat.leave();
  }
}
