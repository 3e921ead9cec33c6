import { ok } from "@ledge/contract";
import { flightKeptMs } from "@ledge/policy";
import { describe, expect, test, vi } from "vitest";
import {
  engine,
  flight,
  isolate,
  job,
  nowMs,
  reading,
  settle,
  useStillTime,
} from "../../../../../test/support/flights.ts";
import { RoomsBySlot } from "../../flight-rooms.ts";
import { RoomFlights } from "./flights.ts";

/** What landed a moment ago and is kept where isolates meet, and those who want something younger. */

useStillTime();

/** How far apart the isolate of the second test and the place where isolates meet are. */
const hopMs = 20;

/** One isolate that did the work, and one that comes later, for which the way takes a while. */
function isolates() {
  const rooms = new RoomsBySlot(nowMs, flightKeptMs);
  const slow = {
    join: async (...asked: Parameters<RoomsBySlot["join"]>) => {
      await new Promise((resolve) => void setTimeout(resolve, hopMs));
      return rooms.join(...asked);
    },
  };
  const near = new RoomFlights({ rooms, nowMs });
  return [isolate(near), isolate(new RoomFlights({ rooms: slow, nowMs }))] as const;
}

const younger = () => flight({ landedAfterMs: nowMs() - 1_000 });

describe("what landed 1.5 s ago, which an isolate's leader may take,", () => {
  test("does not answer one who waits for that leader and wants what is younger than 1 s", async () => {
    const [first, second] = isolates();
    const { work, given } = job();
    void first.whole(flight(), work);
    await settle();
    given[0]?.(ok("old"));
    await vi.advanceTimersByTimeAsync(1_500);
    const calls = [second.whole(flight(), work), second.whole(younger(), work), second.whole(flight(), work)];
    await vi.advanceTimersByTimeAsync(2 * hopMs);
    expect(given).toHaveLength(2);
    given[1]?.(ok("young"));
    expect((await Promise.all(calls)).map(({ result }) => result)).toEqual([ok("old"), ok("young"), ok("old")]);
  });

  test("does not answer it as a stream, either", async () => {
    const [first, second] = isolates();
    const engines = [engine(), engine()];
    let asked = 0;
    const work = () => (engines[asked++] ?? engine()).work();
    const maker = reading(first.stream(flight(), work));
    await settle();
    engines[0]?.say("data: old\n\n");
    engines[0]?.end();
    await settle();
    expect(maker.over).toBe(true);
    await vi.advanceTimersByTimeAsync(1_500);
    const calls = [flight(), younger(), flight()].map((call) => reading(second.stream(call, work)));
    await vi.advanceTimersByTimeAsync(2 * hopMs);
    engines[1]?.say("data: young\n\n");
    engines[1]?.end();
    await settle();
    expect(calls.map(({ text }) => text.split("\n", 1)[0])).toEqual(["data: old", "data: young", "data: old"]);
  });
});
