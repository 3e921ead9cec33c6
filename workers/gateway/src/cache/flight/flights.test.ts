import { fail, ok } from "@ledge/contract";
import { describe, expect, test, vi } from "vitest";
import {
  engine,
  flight,
  job,
  nowMs,
  oneIsolate,
  reading,
  settle,
  text,
  twoIsolates,
  useStillTime,
} from "../../../../../test/support/flights.ts";
import { FlightRoom } from "../../flight-room.ts";
import { RoomsBySlot } from "../../flight-rooms.ts";
import type { Flights, Flown } from "../ports.ts";
import { RoomFlights } from "./flights.ts";

/** Equal calls that meet in one isolate, and in two. */

useStillTime();

describe.each([
  ["in one isolate", oneIsolate],
  ["in two isolates", twoIsolates],
])("equal calls %s", (_where, make) => {
  test("of whom a hundred come at once cause one piece of work, and all get what it gives", async () => {
    const [here, there] = make();
    const { work, given } = job();
    const calls = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? here : there).whole(flight(), work));
    await settle();
    expect(given).toHaveLength(1);
    given[0]?.(ok("answer"));
    const flown = await Promise.all(calls);
    expect(new Set(flown.map(({ result }) => result.ok && result.value))).toEqual(new Set(["answer"]));
    expect(flown.filter(({ collapsed }) => !collapsed)).toHaveLength(1);
  });

  test("share a fault that all of them would get", async () => {
    const [here, there] = make();
    const { work, given } = job();
    const calls = [here.whole(flight(), work), there.whole(flight(), work)];
    await settle();
    given[0]?.(fail("context_length_exceeded"));
    for (const { result } of await Promise.all(calls))
      expect(!result.ok && result.fault.code).toBe("context_length_exceeded");
    expect(given).toHaveLength(1);
  });

  test("do not fail with their leader: another leads, once at a time", async () => {
    const [here, there] = make();
    const { work, given } = job();
    const calls = [here, there, here, there].map((at) => at.whole(flight(), work));
    await settle();
    given[0]?.(fail("upstream_failed"));
    await settle();
    expect(given).toHaveLength(2);
    given[1]?.(ok("answer"));
    const flown = await Promise.all(calls);
    expect(flown.filter(({ result }) => result.ok)).toHaveLength(3);
    expect(given).toHaveLength(2);
  });

  test("all get the fault after two successors failed as well", async () => {
    const [here, there] = make();
    const { work, given } = job();
    const calls = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? here : there).whole(flight(), work));
    for (let tries = 0; tries < 3; tries++) {
      await settle();
      given[tries]?.(fail("upstream_failed"));
    }
    for (const { result } of await Promise.all(calls)) expect(!result.ok && result.fault.code).toBe("upstream_failed");
    expect(given).toHaveLength(3);
  });

  test("replace a leader that hangs, within their deadline", async () => {
    const [here, there] = make();
    const { work, given } = job();
    void here.whole(flight({ deadlineMs: nowMs() + 60_000 }), work);
    await settle();
    const waiting = there.whole(flight({ deadlineMs: nowMs() + 4_000 }), work);
    await vi.advanceTimersByTimeAsync(2_100);
    expect(given).toHaveLength(2);
    given[1]?.(ok("answer"));
    expect((await waiting).result).toEqual(ok("answer"));
  });

  test("replace a leader that hangs after one lease, however many places they wait in", async () => {
    const [here] = make();
    const { work, given } = job();
    const waits = () => here.whole(flight({ deadlineMs: nowMs() + 60_000 }), work);
    void waits();
    await settle();
    const waiting = waits();
    await vi.advanceTimersByTimeAsync(10_100);
    expect(given).toHaveLength(2);
    given[1]?.(ok("answer"));
    expect((await waiting).result).toEqual(ok("answer"));
  });

  test("of whom the leader's caller leaves still get its work, which is stopped once nobody waits", async () => {
    const [here, there] = make();
    const { work, given, signals } = job();
    const leader = new AbortController();
    const waiter = new AbortController();
    void here.whole(flight({ signal: leader.signal }), work);
    await settle();
    const waiting = there.whole(flight({ signal: waiter.signal }), work);
    await settle();
    leader.abort();
    await settle();
    expect(signals[0]?.aborted).toBe(false);
    given[0]?.(ok("answer"));
    expect((await waiting).result).toEqual(ok("answer"));
  });

  test("stop the work when all of their callers have left", async () => {
    const [here, there] = make();
    const { work, signals } = job();
    const callers = [new AbortController(), new AbortController()];
    void here.whole(flight({ signal: callers[0]?.signal ?? AbortSignal.abort() }), work);
    await settle();
    void there.whole(flight({ signal: callers[1]?.signal ?? AbortSignal.abort() }), work);
    await settle();
    for (const caller of callers) caller.abort();
    await settle();
    expect(signals[0]?.aborted).toBe(true);
  });

  test("each get a stream's events as they come, those who come late from the first one on", async () => {
    const [here, there] = make();
    const { work, say, end } = engine();
    const first = reading(here.stream(flight(), work));
    await settle();
    const second = reading(there.stream(flight(), work));
    await settle();
    say("data: 1\n\n");
    await settle();
    expect([first.text, second.text]).toEqual(["data: 1\n\n", "data: 1\n\n"]);
    const third = reading(here.stream(flight(), work));
    await settle();
    expect(third.text).toBe("data: 1\n\n");
    say("data: 2\n\n");
    end();
    await settle();
    for (const caller of [first, second, third]) {
      expect(caller.text).toBe("data: 1\n\ndata: 2\n\ndata: [DONE]\n\n");
      expect(caller.over).toBe(true);
    }
    expect([first.collapsed, second.collapsed, third.collapsed]).toEqual([false, true, true]);
  });

  test("go on with another stream where one broke off, if it begins with the same bytes", async () => {
    const [here, there] = make();
    const engines = [engine(), engine()];
    let asked = 0;
    const work = () => engines[asked++]?.work() ?? Promise.resolve(fail("internal_error"));
    const leader = reading(here.stream(flight(), work));
    await settle();
    const waiter = reading(there.stream(flight(), work));
    await settle();
    engines[0]?.say("data: 1\n\ndata: 2\n\n");
    await settle();
    engines[0]?.fail();
    await settle();
    expect(leader.broke).toBe(true);
    expect(asked).toBe(2);
    engines[1]?.say("data: 1\n\nda");
    engines[1]?.say("ta: 2\n\ndata: 3\n\n");
    engines[1]?.end();
    await settle();
    expect(waiter.text).toBe("data: 1\n\ndata: 2\n\ndata: 3\n\ndata: [DONE]\n\n");
    expect(waiter.over).toBe(true);
  });

  test("go on by their own work where another's stream is cut into other pieces", async () => {
    const [here, there] = make();
    const engines = [engine(), engine(), engine()];
    let asked = 0;
    const work = () => engines[asked++]?.work() ?? Promise.resolve(fail("internal_error"));
    void reading(here.stream(flight(), work));
    await settle();
    const waiters = [reading(there.stream(flight(), work)), reading(there.stream(flight(), work))];
    await settle();
    engines[0]?.say("data: 1\n\n");
    await settle();
    engines[0]?.fail();
    await settle();
    engines[1]?.say("data: 12\n\n");
    await settle();
    engines[2]?.say("data: 1\n\ndata: 2\n\n");
    engines[2]?.end();
    await settle();
    expect(waiters.map(({ text: seen }) => seen)).toContain("data: 1\n\ndata: 2\n\ndata: [DONE]\n\n");
  });

  test("break off rather than go on with a stream that says something else", async () => {
    const [here, there] = make();
    const engines = [engine(), engine()];
    let asked = 0;
    const work = () => engines[asked++]?.work() ?? Promise.resolve(fail("internal_error"));
    void reading(here.stream(flight(), work));
    await settle();
    const waiter = reading(there.stream(flight(), work));
    engines[0]?.say("data: 1\n\n");
    await settle();
    engines[0]?.fail();
    await settle();
    engines[1]?.say("data: one\n\n");
    engines[1]?.end();
    await settle();
    expect(waiter.broke).toBe(true);
    expect(waiter.text).toBe("data: 1\n\n");
  });

  test("take a stream that ends without [DONE] for one that broke off", async () => {
    const [here, there] = make();
    let asked = 0;
    const cut = async () => {
      asked++;
      return ok(
        new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(text.encode("data: 1\n\n"));
            controller.close();
          },
        }),
      );
    };
    void reading(here.stream(flight(), cut));
    const waiter = reading(there.stream(flight(), cut));
    await settle();
    expect(waiter.over).toBe(false);
    expect(waiter.broke).toBe(true);
    expect(asked).toBe(2);
  });

  test("replace a leader whose stream falls silent", async () => {
    const [here, there] = make();
    const engines = [engine(), engine()];
    let asked = 0;
    const work = () => engines[asked++]?.work() ?? Promise.resolve(fail("internal_error"));
    void reading(here.stream(flight({ deadlineMs: nowMs() + 60_000 }), work));
    await settle();
    engines[0]?.say("data: 1\n\n");
    const waiter = reading(there.stream(flight({ deadlineMs: nowMs() + 60_000 }), work));
    await vi.advanceTimersByTimeAsync(10_100);
    expect(asked).toBe(2);
    engines[1]?.say("data: 1\n\ndata: 2\n\n");
    engines[1]?.end();
    await settle();
    expect(waiter.text).toBe("data: 1\n\ndata: 2\n\ndata: [DONE]\n\n");
  });

  test("of whom the leader's caller leaves a stream still get it, and the engine is stopped once nobody reads", async () => {
    const [here, there] = make();
    const source = engine();
    const leader = reading(here.stream(flight(), source.work));
    await settle();
    const waiter = reading(there.stream(flight(), source.work));
    source.say("data: 1\n\n");
    await settle();
    void leader.leave();
    await settle();
    source.say("data: 2\n\n");
    await settle();
    expect(waiter.text).toBe("data: 1\n\ndata: 2\n\n");
    expect(source.canceled).toBe(false);
    void waiter.leave();
    source.say("data: 3\n\n");
    await settle();
    expect(source.canceled).toBe(true);
  });

  test("of whom one alone leaves its stream stop the engine at once", async () => {
    const [here] = make();
    const source = engine();
    const only = reading(here.stream(flight(), source.work));
    source.say("data: 1\n\n");
    await settle();
    void only.leave();
    await settle();
    expect(source.canceled).toBe(true);
    const next = reading(here.stream(flight(), source.work));
    await settle();
    expect(source.asked).toBe(2);
    expect(next.collapsed).toBe(false);
  });

  test("get a stream's fault as a result when no stream came", async () => {
    const [here, there] = make();
    const work = async () => fail("context_length_exceeded");
    const calls = await Promise.all([here.stream(flight(), work), there.stream(flight(), work)]);
    for (const { result } of calls) expect(!result.ok && result.fault.code).toBe("context_length_exceeded");
  });

  test("wait without spinning when a new leader makes the wait longer", async () => {
    const [here, there] = make();
    const { work, given } = job();
    const waitsFor = (ms: number) => there.whole(flight({ deadlineMs: nowMs() + ms }), work);
    void here.whole(flight({ deadlineMs: nowMs() + 60_000 }), work);
    await settle();
    void waitsFor(60_000);
    await settle();
    void waitsFor(4_000);
    // The second leader began two seconds after the first: ten seconds from there are not over when those of the first are.
    await vi.advanceTimersByTimeAsync(10_100);
    expect(given).toHaveLength(2);
    const timers = vi.spyOn(globalThis, "setTimeout");
    await vi.advanceTimersByTimeAsync(500);
    expect(timers.mock.calls.length).toBeLessThan(10);
    timers.mockRestore();
  });

  test("leave nothing behind in the isolate's memory", async () => {
    const rooms = new RoomsBySlot(nowMs, 0);
    const flights = new RoomFlights({ rooms, nowMs });
    const { work, given } = job();
    const calls = [flights.whole(flight(), work), flights.whole(flight(), work)];
    await settle();
    expect(rooms.size).toBe(1);
    given[0]?.(ok("answer"));
    await Promise.all(calls);
    await settle();
    expect(rooms.size).toBe(0);
  });
});

test("what failed with nobody waiting is over for who comes later", async () => {
  const room = new FlightRoom(nowMs, () => undefined);
  const told = room.join({ sinceMs: nowMs(), deadlineMs: nowMs() + 1_000 });
  expect(told.kind === "lead" && (await told.turn.fail({ code: "upstream_failed" }))).toBe(false);
  expect(room.isOver()).toBe(true);
});

test("a call whose own time is over leaves the lead to one that has more", async () => {
  let asked = 0;
  const late: Flown<never> = { result: fail("deadline_exceeded"), collapsed: true, spent: true };
  const beyond: Flights = {
    whole: async ({ signal }, work) => (asked++ === 0 ? late : { result: await work(signal), collapsed: false }),
    stream: async () => late,
  };
  const flights = new RoomFlights({ rooms: new RoomsBySlot(nowMs, 0), nowMs, beyond });
  const calls = [1_000, 30_000].map((ms) =>
    flights.whole(flight({ deadlineMs: nowMs() + ms }), async () => ok("answer")),
  );
  const [hasty, patient] = await Promise.all(calls);
  expect(hasty?.result).toEqual(fail("deadline_exceeded"));
  expect(patient?.result).toEqual(ok("answer"));
});
