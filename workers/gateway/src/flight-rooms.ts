import type { FlightWaiter } from "@ledge/policy";
import { FlightRoom, type Told } from "./flight-room.ts";

/** Rooms by slot, each for as long as somebody works in it or waits, and `keptMs` beyond. */
export class RoomsBySlot {
  readonly #rooms = new Map<string, FlightRoom>();
  readonly #nowMs: () => number;
  readonly #keptMs: number;

  constructor(nowMs: () => number, keptMs: number) {
    this.#nowMs = nowMs;
    this.#keptMs = keptMs;
  }

  /** Flights under way, and kept. */
  get size(): number {
    return this.#rooms.size;
  }

  join(slot: string, waiter: FlightWaiter): Told {
    const known = this.#rooms.get(slot);
    if (known !== undefined && !known.isOver(waiter.landedAfterMs)) return known.join(waiter);
    const room: FlightRoom = new FlightRoom(this.#nowMs, () => this.#leaveTo(slot, room));
    this.#rooms.set(slot, room);
    return room.join(waiter);
  }

  /** Nobody is in the room now: it goes, at once or a little later unless somebody has come meanwhile. */
  #leaveTo(slot: string, room: FlightRoom): void {
    const forget = () => {
      if (room.isIdle && this.#rooms.get(slot) === room) this.#rooms.delete(slot);
    };
    if (this.#keptMs === 0) forget();
    else setTimeout(forget, this.#keptMs);
  }
}
