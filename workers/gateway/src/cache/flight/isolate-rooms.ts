import type { FlightWaiter } from "@ledge/policy";
import { FlightRoom, type Told } from "../../flight-room.ts";
import type { FlightRooms } from "../ports.ts";

/** Where the equal calls of one isolate meet. A room lasts as long as somebody works in it or waits. */
export class IsolateRooms implements FlightRooms {
  readonly #rooms = new Map<string, FlightRoom>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Flights under way. */
  get size(): number {
    return this.#rooms.size;
  }

  async join(slot: string, waiter: FlightWaiter): Promise<Told> {
    const known = this.#rooms.get(slot);
    if (known !== undefined && !known.isOver(waiter.landedAfterMs)) return known.join(waiter);
    const room: FlightRoom = new FlightRoom(this.#nowMs, () => {
      if (this.#rooms.get(slot) === room) this.#rooms.delete(slot);
    });
    this.#rooms.set(slot, room);
    return room.join(waiter);
  }
}
