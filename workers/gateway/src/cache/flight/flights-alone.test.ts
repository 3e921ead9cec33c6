import { ok } from "@ledge/contract";
import { describe, expect, test, vi } from "vitest";
import { engine, flight, isolate, nowMs, reading, settle, useStillTime } from "../../../../../test/support/flights.ts";
import type { Told, Turn } from "../../flight-room.ts";
import type { FlightRooms } from "../ports.ts";
import { RoomFlights } from "./flights.ts";

/** Calls that meet nobody, or cannot. */

useStillTime();

test("a call that reaches only its isolate asks nobody beyond", async () => {
  const rooms: FlightRooms = { join: () => Promise.reject(new Error("asked")) };
  const asked = vi.spyOn(rooms, "join");
  const flights = isolate(new RoomFlights({ rooms, nowMs }));
  await flights.whole(flight({ reach: "isolate" }), async () => ok(1));
  expect(asked).not.toHaveBeenCalled();
  await flights.whole(flight(), async () => ok(1));
  expect(asked).toHaveBeenCalledOnce();
});

describe("each call goes on its own when the room", () => {
  const turn: Turn = {
    land: () => Promise.reject(new Error("down")),
    fail: () => Promise.reject(new Error("down")),
    pour: () => Promise.reject(new Error("down")),
    leave: () => Promise.reject(new Error("down")),
    deserted: () => Promise.reject(new Error("down")),
  };
  const never = () => new Promise<never>(() => {});
  const seat = (ask: () => Promise<never>): Told => ({
    kind: "wait",
    untilMs: nowMs() + 1_000,
    seat: { ask, leave: () => Promise.reject(new Error("down")) },
  });
  test.each<[string, () => Promise<Told>]>([
    ["throws", () => Promise.reject(new Error("overloaded"))],
    ["never answers", never],
    ["knows nothing", async () => ({ kind: "alone" })],
    ["dies while they wait", async () => seat(() => Promise.reject(new Error("evicted")))],
    ["falls silent while they wait", async () => seat(never)],
    ["dies while they lead", async () => ({ kind: "lead", turn })],
  ])("%s", async (_how, join) => {
    const flights = new RoomFlights({ rooms: { join }, nowMs });
    const whole = flights.whole(flight(), async () => ok("answer"));
    const source = engine();
    const stream = reading(flights.stream(flight(), source.work));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await whole).toEqual({ result: ok("answer"), collapsed: false });
    source.say("data: 1\n\n");
    source.end();
    await settle();
    expect(stream.text).toBe("data: 1\n\ndata: [DONE]\n\n");
    expect(stream.collapsed).toBe(false);
  });
});

test("a bug in the work hands the lead on, and is its own call's alone", async () => {
  const flights = isolate();
  let asked = 0;
  const work = async () => {
    if (asked++ === 0) throw new Error("bug");
    return ok("answer");
  };
  const [first, second] = await Promise.allSettled([flights.whole(flight(), work), flights.whole(flight(), work)]);
  expect(first.status).toBe("rejected");
  expect(second.status === "fulfilled" && second.value.result).toEqual(ok("answer"));
});
