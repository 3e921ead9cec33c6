import type { Fault, Result } from "@ledge/contract";
import { type FlightWaiter, flightKeptMs } from "@ledge/policy";
import type { FlightRooms } from "../../../workers/gateway/src/cache/ports.ts";
import type { Asked, Seat, Told, Turn } from "../../../workers/gateway/src/flight-room.ts";
import { RoomsBySlot } from "../../../workers/gateway/src/flight-rooms.ts";
import type { Dice } from "./dice.ts";
import type { Isolate } from "./isolate.ts";
import type { VirtualTime } from "./time.ts";

type Events = ReadableStream<Uint8Array>;

export interface RoomsMood {
  readonly name: string;
  readonly msMax: number;
  readonly fails: number;
  readonly hangs: number;
}

export const roomsWell: RoomsMood = { name: "well", msMax: 10, fails: 0, hangs: 0 };
export const roomsMoods: readonly RoomsMood[] = [
  roomsWell,
  { name: "slow", msMax: 500, fails: 0, hangs: 0 },
  { name: "overloaded", msMax: 20, fails: 0.5, hangs: 0.1 },
  { name: "gone", msMax: 10, fails: 1, hangs: 0 },
];

/** Slots meet in so many objects. */
const objects = 4;

/** One object: its rooms, until it is evicted. */
class Place {
  readonly rooms: RoomsBySlot;
  /** Rejects when it is evicted: whoever waits for it then learns that. */
  readonly evicted: Promise<never>;
  evict: () => void = () => undefined;

  constructor(nowMs: () => number) {
    this.rooms = new RoomsBySlot(nowMs, flightKeptMs);
    this.evicted = new Promise((_, reject) => {
      this.evict = () => {
        reject(new Error("evicted"));
      };
    });
    this.evicted.catch(() => undefined);
  }
}

/** The Durable Objects where flights meet, over a network that is slow or broken at times. */
export class SimulatedRooms {
  mood = roomsWell;
  readonly #places = new Map<number, Place>();
  readonly #time: VirtualTime;
  readonly #dice: Dice;

  constructor(time: VirtualTime, dice: Dice) {
    this.#time = time;
    this.#dice = dice;
  }

  /** One of them, whatever happens in it. */
  evictOne(): void {
    if (this.#places.size === 0) return;
    const name = this.#dice.pick([...this.#places.keys()]);
    this.#places.get(name)?.evict();
    this.#places.delete(name);
  }

  seenFrom(isolate: Isolate): FlightRooms {
    return {
      join: async (slot: string, waiter: FlightWaiter): Promise<Told> => {
        await this.#hop(isolate);
        const place = this.#placeOf(slot);
        const line: Line = { isolate, place, hop: () => this.#hop(isolate, place) };
        const told = place.rooms.join(slot, waiter);
        await line.hop().catch((lost: unknown) => {
          giveBack(told);
          throw lost;
        });
        return sent(told, line);
      },
    };
  }

  #placeOf(slot: string): Place {
    let name = 0;
    for (const letter of slot) name = (31 * name + letter.charCodeAt(0)) % objects;
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const place = new Place(() => this.#time.nowMs);
    this.#places.set(name, place);
    return place;
  }

  /** The way there or back. */
  async #hop(isolate: Isolate, place?: Place): Promise<void> {
    const { msMax, fails, hangs } = this.mood;
    const failing = this.#dice.comes(fails);
    if (this.#dice.comes(hangs)) await new Promise(() => undefined);
    await Promise.race([this.#time.sleep(this.#dice.between(1, msMax / 5) * 5), ...(place ? [place.evicted] : [])]);
    if (isolate.dead) throw new Error("the isolate is gone");
    if (failing) throw new Error("overloaded");
  }
}

/** Between one isolate and one object. */
interface Line {
  readonly isolate: Isolate;
  readonly place: Place;
  hop(): Promise<void>;
}

function giveBack(told: Told): void {
  if (told.kind === "lead") void told.turn.leave();
  if (told.kind === "wait" || told.kind === "flow") void told.seat.leave();
}

function sent<T extends Told | Asked>(told: T, line: Line): T {
  if (told.kind === "lead") {
    line.isolate.onDeath(() => void told.turn.leave());
    return { ...told, turn: new SentTurn(told.turn, line) };
  }
  const flow = told.kind === "flow" ? { events: broken(told.events, line.place.evicted) } : {};
  if (told.kind !== "wait" && !("seat" in told)) return { ...told, ...flow };
  const { seat } = told;
  line.isolate.onDeath(() => void seat.leave());
  return { ...told, ...flow, seat: new SentSeat(seat, line) };
}

class SentTurn implements Turn {
  readonly #turn: Turn;
  readonly #line: Line;

  constructor(turn: Turn, line: Line) {
    this.#turn = turn;
    this.#line = line;
  }

  land(result: Result<unknown>, landedMs?: number): Promise<void> {
    return this.#there(() => this.#turn.land(structuredClone(result), landedMs));
  }

  fail(fault: Fault): Promise<boolean> {
    return this.#there(() => this.#turn.fail(fault));
  }

  pour(events: Events, landedMs?: number): Promise<void> {
    return this.#there(() => this.#turn.pour(broken(events, this.#line.isolate.killed), landedMs));
  }

  leave(): Promise<void> {
    return this.#there(() => this.#turn.leave());
  }

  deserted(): Promise<void> {
    return this.#there(() => this.#turn.deserted());
  }

  async #there<T>(call: () => Promise<T>): Promise<T> {
    return await ask(this.#line, call);
  }
}

class SentSeat implements Seat {
  readonly #seat: Seat;
  readonly #line: Line;

  constructor(seat: Seat, line: Line) {
    this.#seat = seat;
    this.#line = line;
  }

  async ask(): Promise<Asked> {
    return sent(await ask(this.#line, () => this.#seat.ask()), this.#line);
  }

  leave(): Promise<void> {
    return ask(this.#line, () => this.#seat.leave());
  }
}

/** There, and back again. */
async function ask<T>({ hop, place, isolate }: Line, call: () => Promise<T>): Promise<T> {
  await hop();
  const answer = await Promise.race([call(), place.evicted]);
  // An isolate that is gone awaits nothing any more.
  if (isolate.dead) await new Promise(() => undefined);
  return answer;
}

/** The same stream, until the promise rejects. */
function broken(events: Events, by: Promise<never>): Events {
  const reader = events.getReader();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await Promise.race([reader.read(), by]);
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
