import { afterEach, describe, expect, test } from "vitest";
import {
  answered,
  ask,
  callsAre,
  contentOf,
  edge,
  eventsOf,
  follow,
  fresh,
  gateways,
  origin,
  since,
  spoken,
  streamed,
  urls,
  useFlightEdge,
  waiting,
} from "../support/flight-edge.ts";
import { until } from "../support/ledge.ts";

/** Flights whose leaders, objects and origins fail, at four gateways in real workerd. */

useFlightEdge();

describe("a leader whose client leaves", () => {
  test("a stream goes on for its waiters, and nobody notices", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const leaving = new AbortController();
    const leading = follow(1, { content, signal: leaving.signal });
    await callsAre(1, before);
    const [call] = since(before);
    call?.say("one");
    await leading;
    const waiters = await Promise.all([1, 2, 3].map((at) => follow(at, { content })));
    leaving.abort();
    await until("the waiters have the first event", () => waiters.every(({ text }) => text.includes("one")), 20_000);
    call?.say(" two");
    call?.end();
    await until("the waiters have all", () => waiters.every(({ over }) => over), 20_000);
    expect(new Set(waiters.map(({ text }) => spoken(text)))).toEqual(new Set(["one two"]));
    expect(since(before)).toHaveLength(1);
    expect(call?.left).toBe(false);
    const later = await ask(1, { content });
    expect(later.cache).toContain("hit");
  });

  test("a stream that nobody else waits for stops the engine at once", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const leaving = new AbortController();
    const leader = follow(1, { content, signal: leaving.signal }).catch(() => undefined);
    await callsAre(1, before);
    const [call] = since(before);
    call?.say("one");
    await leader;
    leaving.abort();
    await until(
      "the origin sees the edge leave",
      () => {
        call?.say(" more");
        return call?.left === true;
      },
      20_000,
    );
  });

  test("a whole answer goes on for its waiters", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const leaving = new AbortController();
    const leader = ask(1, { content, signal: leaving.signal }).catch(() => undefined);
    await callsAre(1, before);
    const { answers } = await waiting([2], content);
    leaving.abort();
    await leader;
    since(before)[0]?.whole("one two");
    for (const answer of answers) expect(contentOf(await answer)).toBe("one two");
    expect(since(before)).toHaveLength(1);
  });
});

describe("a leader whose isolate is gone", () => {
  const die = (name: string) => fetch(`${urls[1]}/test/die?name=${name}`);

  test("before it answered is replaced by a waiter", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const dying = ask(1, { content, headers: { "Test-Doomed": content.replace(" ", "-") } });
    await callsAre(1, before);
    const { answers } = await waiting([2, 3], content);
    await die(content.replace(" ", "-"));
    expect((await dying).status).toBe(500);
    await callsAre(2, before);
    since(before)[1]?.whole("one two");
    for (const answer of answers) expect(contentOf(await answer)).toBe("one two");
    expect(since(before)).toHaveLength(2);
  });

  test("in the middle of a stream is replaced by a waiter, and no word is said twice", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const leading = follow(1, { content, headers: { "Test-Doomed": "stream" } });
    await callsAre(1, before);
    since(before)[0]?.say("one");
    await leading;
    const waiters = await Promise.all([2, 3].map((at) => follow(at, { content })));
    await until("the waiters have the first event", () => waiters.every(({ text }) => text.includes("one")), 20_000);
    await die("stream");
    await callsAre(2, before);
    const [, second] = since(before);
    second?.say("one", " two");
    second?.end();
    await until("the waiters have all", () => waiters.every(({ over }) => over), 20_000);
    expect(waiters.map(({ text }) => spoken(text))).toEqual(["one two", "one two"]);
    expect(since(before)).toHaveLength(2);
    since(before)[0]?.end();
  });
});

describe("when the origin", () => {
  test("fails after half a stream, waiters go on with another, and its own caller is told in-band", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const leading = follow(1, { content });
    await callsAre(1, before);
    since(before)[0]?.say("one");
    const leader = await leading;
    const waiter = await follow(2, { content });
    await until("the waiter has the first event", () => waiter.text.includes("one"), 20_000);
    since(before)[0]?.drop();
    await callsAre(2, before);
    since(before)[1]?.say("one", " two");
    since(before)[1]?.end();
    await until("both have ended", () => leader.over && waiter.over, 20_000);
    expect(spoken(waiter.text)).toBe("one two");
    expect(JSON.parse(eventsOf(leader.text).at(-1) ?? "{}").error.code).toBe("upstream_failed");
  });

  test("says something else the second time, a waiter is told in-band and never gets [DONE]", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const leading = follow(1, { content });
    await callsAre(1, before);
    since(before)[0]?.say("one");
    await leading;
    const waiter = await follow(2, { content });
    await until("the waiter has the first event", () => waiter.text.includes("one"), 20_000);
    since(before)[0]?.drop();
    await callsAre(2, before);
    since(before)[1]?.say("uno", " due");
    since(before)[1]?.end();
    await until("it has ended", () => waiter.over, 20_000);
    expect(JSON.parse(eventsOf(waiter.text).at(-1) ?? "{}").error.code).toBe("upstream_failed");
    expect(waiter.text).not.toContain("[DONE]");
    expect(waiter.text).not.toContain("uno");
  });

  test("hangs, its caller is replaced within the waiters' deadline", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const hanging = ask(1, { content, headers: { "Ledge-Timeout-Ms": "20000" } });
    await callsAre(1, before);
    const waiter = ask(2, { content, headers: { "Ledge-Timeout-Ms": "6000" } });
    await callsAre(2, before);
    since(before)[1]?.whole("one two");
    expect(contentOf(await waiter)).toBe("one two");
    // What one got who replaced it is everybody's, also of the one that hung in the same flight.
    since(before)[0]?.whole("one two");
    expect((await hanging).status).toBe(200);
  });

  test("fails, another tries, and after two successors all get the fault", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const first = ask(1, { content });
    await callsAre(1, before);
    const { answers: others } = await waiting([2, 3, 0], content);
    origin.onCall = (call) => call.fault(502, "upstream_failed");
    since(before)[0]?.fault(502, "upstream_failed");
    const answers = await Promise.all([first, ...others]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([502]));
    expect(since(before)).toHaveLength(3);
  });
});

describe("a flight's object that", () => {
  const behaves = (mode: string) => fetch(`${edge.url}/test/flights?mode=${mode}`);
  afterEach(async () => void (await behaves("works")));

  test.each(["throws", "hangs"])("%s costs company, and no answer", async (mode) => {
    await behaves(mode);
    const before = origin.calls.length;
    origin.onCall = (call) => void setTimeout(() => answered(call), 1_000);
    for (const body of [{}, streamed]) {
      const content = fresh();
      const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => ask(at, { content, body })));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
    // Each gateway goes on its own, and within each all wait for one.
    expect(since(before)).toHaveLength(2 * gateways);
  });

  test("is evicted while they wait fails nobody", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const leader = ask(1, { content });
    await callsAre(1, before);
    const { answers } = await waiting([2, 3], content);
    await fetch(`${edge.url}/test/abort-flights`);
    origin.onCall = answered;
    since(before)[0]?.whole("one two");
    for (const answer of [leader, ...answers]) expect(contentOf(await answer)).toBe("one two");
    expect(since(before).length).toBeLessThanOrEqual(3);
  });

  test("is evicted in the middle of a stream fails nobody, and no word is said twice", async () => {
    const before = origin.calls.length;
    const content = fresh();
    const leading = follow(1, { content });
    await callsAre(1, before);
    const [call] = since(before);
    call?.say("one");
    const readers = [await leading, await follow(2, { content }), await follow(3, { content })];
    await until("all have the first event", () => readers.every(({ text }) => text.includes("one")), 20_000);
    origin.onCall = answered;
    await fetch(`${edge.url}/test/abort-flights`);
    call?.say(" two");
    call?.end();
    await until("all have ended", () => readers.every(({ over }) => over), 20_000);
    expect(new Set(readers.map(({ text }) => spoken(text)))).toEqual(new Set(["one two"]));
  });
});
