import { fail, ok, type Result } from "@ledge/contract";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Told, Turn } from "../../flight-room.ts";
import type { Flight, FlightRooms, Flown } from "../ports.ts";
import { RoomFlights } from "./flights.ts";
import { IsolateRooms } from "./isolate-rooms.ts";

const text = new TextEncoder();
const nowMs = () => Date.now();

let background: Promise<unknown>[] = [];
beforeEach(() => {
  vi.useFakeTimers();
  background = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function flight(more: Partial<Flight> = {}): Flight {
  const { signal } = new AbortController();
  return {
    slot: "a",
    reach: "everywhere",
    deadlineMs: nowMs() + 30_000,
    landedAfterMs: 0,
    signal,
    waitUntil: (work) => background.push(work),
    ...more,
  };
}

/** Lets everything run that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0);

const isolate = (beyond?: RoomFlights) =>
  new RoomFlights({ rooms: new IsolateRooms(nowMs), nowMs, ...(beyond === undefined ? {} : { beyond }) });

/** Two isolates that meet in one room, as they do in a Durable Object. */
function twoIsolates(): readonly [RoomFlights, RoomFlights] {
  const beyond = new RoomFlights({ rooms: new IsolateRooms(nowMs), nowMs });
  return [isolate(beyond), isolate(beyond)];
}

function oneIsolate(): readonly [RoomFlights, RoomFlights] {
  const one = isolate();
  return [one, one];
}

/** A stream that its maker writes, and sees canceled. */
function engine() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const made = { canceled: false, say: (_events: string) => {}, end: () => {}, fail: () => {}, asked: 0 };
  const work = async (): Promise<Result<ReadableStream<Uint8Array>>> => {
    made.asked++;
    return ok(
      new ReadableStream<Uint8Array>({
        start: (c) => {
          controller = c;
        },
        cancel: () => {
          made.canceled = true;
        },
      }),
    );
  };
  made.say = (events) => controller?.enqueue(text.encode(events));
  made.end = () => {
    controller?.enqueue(text.encode("data: [DONE]\n\n"));
    controller?.close();
  };
  made.fail = () => controller?.error(new Error("engine died"));
  return Object.assign(made, { work });
}

/** What a caller has read so far. */
function reading(flown: Promise<Flown<ReadableStream<Uint8Array>>>) {
  const seen = { text: "", over: false, broke: false, collapsed: false, fault: "", leave: async () => {} };
  const read = async () => {
    const { result, collapsed } = await flown;
    seen.collapsed = collapsed;
    if (!result.ok) {
      seen.fault = result.fault.code;
      return;
    }
    const reader = result.value.getReader();
    seen.leave = () => reader.cancel();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      seen.text += new TextDecoder().decode(value);
    }
    seen.over = true;
  };
  void read().catch(() => {
    seen.broke = true;
  });
  return seen;
}

/** A whole answer that its maker gives when it likes. */
function job() {
  const given: ((result: Result<string>) => void)[] = [];
  const signals: AbortSignal[] = [];
  const work = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<Result<string>>((resolve) => given.push(resolve));
  };
  return { work, given, signals };
}

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

  test("leave nothing behind in the isolate's memory", async () => {
    const rooms = new IsolateRooms(nowMs);
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
