import { murmur3 } from "@ledge/policy";
import type { FlightRooms } from "../cache/ports.ts";
import type { GatewayEnv } from "../env.ts";
import type { Asked, Seat, Told, Turn } from "../flight-room.ts";

/** So many objects, and not one a slot: the first call of a new object costs more than the work that it might save. */
const objects = 128;

/** Flights over all isolates, in the object that the slot falls to. */
export function durableFlights(flights: GatewayEnv["FLIGHTS"]): FlightRooms {
  return {
    async join(slot, waiter) {
      // What an object tells is as the room tells it, with stubs for turns and seats: they have the same methods.
      const told = (await flights
        .getByName(`flights-${murmur3(slot) % objects}`)
        .join(slot, waiter)) as unknown as Told;
      if (told.kind === "lead") return { ...told, turn: heldTurn(told) };
      return told.kind === "wait" || told.kind === "flow" ? { ...told, seat: heldSeat(told) } : told;
    },
  };
}

/**
 * The answer that a stub came in is held for as long as the turn is: were it collected as garbage, its stubs would be disposed
 * of, and the object would take that for the death of whoever held them. A precaution; it has not been seen to happen.
 */
function heldTurn(told: { readonly turn: Turn }): Turn {
  return {
    land: async (result, landedMs) => await told.turn.land(result, landedMs),
    fail: async (fault) => await told.turn.fail(fault),
    pour: async (events, landedMs) => await told.turn.pour(events, landedMs),
    leave: async () => await told.turn.leave(),
    deserted: async () => await told.turn.deserted(),
  };
}

/** As {@link heldTurn}. */
function heldSeat(told: { readonly seat: Seat }): Seat {
  return {
    async ask(): Promise<Asked> {
      const asked = await told.seat.ask();
      return asked.kind === "lead" ? { ...asked, turn: heldTurn(asked) } : asked;
    },
    leave: async () => await told.seat.leave(),
  };
}
