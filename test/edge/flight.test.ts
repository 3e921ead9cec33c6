import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildVariant } from "../../scripts/edge/build.ts";
import { gatewayName } from "../../scripts/edge/run.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { type ChatOrigin, type OriginCall, startChatOrigin } from "../support/chat-origin.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";

/** Equal misses at four gateways that share one object a slot, as four places of an edge do, in real workerd. */

const gateways = 4;
const path = "/v1/chat/completions";

let origin: ChatOrigin;
let edge: TestEdge;
let key: string;
/** Each gateway's own port: a client that leaves there is seen to leave. */
let urls: string[];
let prompts = 0;

beforeAll(async () => {
  const bundle = await buildVariant("gateway", join(repoRoot, "test", "edge", "flight-faults.mjs"), "gateway-faults");
  origin = await startChatOrigin();
  edge = await startEdge({ originUrl: origin.url, gateways, bundles: { gateway: bundle } });
  key = (await edge.issueKey()).key;
  const others = Array.from({ length: gateways - 1 }, (_, i) => gatewayName(i + 1));
  const direct = await Promise.all(others.map((name) => edge.miniflare.unsafeGetDirectURL(name)));
  urls = [edge.url, ...direct.map((url) => url.origin)];
  // Every gateway has looked for its keys and rules before anything is counted.
  origin.onCall = answered;
  await Promise.all(urls.map((_, at) => ask(at, { content: "warm up" })));
  origin.onCall = () => undefined;
});
afterEach(() => {
  origin.onCall = () => undefined;
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

interface Asking {
  readonly content: string;
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

function send(at: number, { content, body, headers, signal }: Asking): Promise<Response> {
  const chat = { model: "tiny-chat", messages: [{ role: "user", content }], temperature: 0, ...body };
  return fetch(urls[at % gateways] + path, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(chat),
    ...(signal === undefined ? {} : { signal }),
  });
}

interface Answer {
  readonly status: number;
  readonly cache: string;
  readonly text: string;
}

async function ask(at: number, asking: Asking): Promise<Answer> {
  const answer = await send(at, asking);
  return { status: answer.status, cache: answer.headers.get("Cache-Status") ?? "", text: await answer.text() };
}

/** Answers a call as it was asked for. */
function answered(call: OriginCall): void {
  if (call.body.stream !== true) call.whole("one two");
  else {
    call.say("one", " two");
    call.end();
  }
}

/** The calls that the origin got since. */
function since(before: number): readonly OriginCall[] {
  return origin.calls.slice(before);
}

const fresh = () => `prompt ${++prompts}`;
const streamed = { stream: true };

const contentOf = ({ text }: Answer): string => JSON.parse(text).choices[0].message.content;

/** The payloads of a stream's events. */
function eventsOf(text: string): string[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: "))
    .map((event) => event.slice(6));
}

/** The text that a stream's events add up to; `undefined` when it did not end well. */
function spoken(text: string): string | undefined {
  const events = eventsOf(text);
  if (events.at(-1) !== "[DONE]") return undefined;
  return events
    .slice(0, -1)
    .map((event) => JSON.parse(event).choices[0]?.delta.content ?? "")
    .join("");
}

/** A stream that is read as it comes. */
async function follow(at: number, asking: Asking) {
  const answer = await send(at, { ...asking, body: { ...streamed, ...asking.body } });
  const seen = { text: "", over: false, broke: false, cache: answer.headers.get("Cache-Status") ?? "" };
  const read = async () => {
    for await (const chunk of (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()))
      seen.text += chunk;
    seen.over = true;
  };
  void read().catch(() => {
    seen.broke = true;
  });
  return seen;
}

const callsAre = (count: number, before: number) =>
  until(`the origin got ${count} calls`, () => since(before).length >= count, 20_000);

const joins = async () => Number(await (await fetch(`${edge.url}/test/joins`)).text());

/** Calls at these gateways, once all of them wait: each gateway's first call joins the object. */
async function waiting(at: readonly number[], content: string): Promise<{ readonly answers: Promise<Answer>[] }> {
  const before = await joins();
  const answers = at.map((gateway) => ask(gateway, { content }));
  await until("all have joined", async () => (await joins()) === before + at.length, 20_000);
  return { answers };
}

describe("a hundred equal misses at once over four gateways", () => {
  test.each([
    ["whole", {}],
    ["streamed", streamed],
  ])("cause exactly one call of the origin when they are %s, and all are answered", async (_how, body) => {
    const before = origin.calls.length;
    const content = fresh();
    origin.onCall = (call) => void setTimeout(() => answered(call), 1_500);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(at, { content, body })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const texts = answers.map((answer) => (body === streamed ? spoken(answer.text) : contentOf(answer)));
    expect(new Set(texts)).toEqual(new Set(["one two"]));
    expect(since(before)).toHaveLength(1);
    expect(answers.filter(({ cache }) => cache.includes("fwd=miss; stored"))).toHaveLength(1);
    expect(answers.filter(({ cache }) => cache.includes("fwd=miss; collapsed"))).toHaveLength(99);
  });

  test("cause exactly one when half are streamed and half are whole, and cost the same", async () => {
    const before = origin.calls.length;
    const content = fresh();
    origin.onCall = (call) => void setTimeout(() => answered(call), 1_500);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        ask(at, { content, body: at % 2 === 0 ? {} : { stream: true, stream_options: { include_usage: true } } }),
      ),
    );
    expect(since(before)).toHaveLength(1);
    const costs = answers.map(({ text }, at) =>
      JSON.stringify(JSON.parse(at % 2 === 0 ? text : (eventsOf(text).at(-2) ?? "")).usage),
    );
    expect(new Set(costs).size).toBe(1);
    expect(new Set(answers.map((answer, at) => (at % 2 === 0 ? contentOf(answer) : spoken(answer.text))))).toEqual(
      new Set(["one two"]),
    );
  });
});

test("waiters get a stream's events as they come, and one who comes late all of them", async () => {
  const before = origin.calls.length;
  const content = fresh();
  const leader = follow(1, { content });
  await callsAre(1, before);
  const [call] = since(before);
  const early = [0, 1, 2].map((at) => follow(at, { content }));
  call?.say("one");
  const first = await Promise.all([leader, ...early]);
  await until("all have the first event", () => first.every(({ text }) => text.includes("one")), 20_000);
  const late = await follow(3, { content });
  await until("who came late has it as well", () => late.text.includes("one"), 20_000);
  call?.say(" two");
  call?.end();
  const all = [...first, late];
  await until("all have ended", () => all.every(({ over }) => over), 20_000);
  expect(new Set(all.map(({ text }) => spoken(text)))).toEqual(new Set(["one two"]));
  expect(since(before)).toHaveLength(1);
});

test("a fault that all would get is shared, and not kept", async () => {
  const before = origin.calls.length;
  const content = fresh();
  const first = ask(0, { content });
  await callsAre(1, before);
  const { answers } = await waiting([1], content);
  since(before)[0]?.fault(400, "context_length_exceeded");
  for (const { status, text } of await Promise.all([first, ...answers])) {
    expect(status).toBe(400);
    expect(text).toContain("context_length_exceeded");
  }
  expect(since(before)).toHaveLength(1);
});

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

test("a stale chat is refreshed behind its answer once, over all gateways", async () => {
  const before = origin.calls.length;
  const content = fresh();
  origin.onCall = answered;
  const ttl = { "Ledge-Cache-Ttl": "1" };
  await ask(0, { content, headers: ttl });
  const stale = async () => (await ask(0, { content, headers: ttl })).cache.includes("stale-while-revalidate");
  origin.onCall = () => undefined;
  await until("the answer is stale", stale, 10_000);
  await callsAre(2, before);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => ask(at, { content, headers: ttl })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(since(before)).toHaveLength(2);
  since(before)[1]?.whole("one two three");
  const longer = { "Ledge-Cache-Ttl": "60" };
  await until("the fresh answer is there", async () =>
    contentOf(await ask(0, { content, headers: longer })).includes("three"),
  );
  expect(since(before)).toHaveLength(2);
});

test("a streamed call of a tool is kept as it came, and joined for who wants no stream", async () => {
  const content = fresh();
  const chunk = (delta: object, reason: string | null = null) => ({
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
  });
  origin.onCall = (asked) => {
    asked.event(chunk({ role: "assistant", content: null }));
    asked.event(
      chunk({
        tool_calls: [{ index: 0, id: "call_a", type: "function", function: { name: "weather", arguments: "" } }],
      }),
    );
    asked.event(chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }));
    asked.event(chunk({ tool_calls: [{ index: 0, function: { arguments: '"Bonn"}' } }] }));
    asked.event(chunk({}, "tool_calls"));
    asked.event("[DONE]");
    asked.over();
  };
  const first = await ask(0, { content, body: streamed });
  const again = await ask(0, { content, body: streamed });
  expect(again.cache).toContain("hit");
  const named = (text: string) => text.replaceAll(/"id":"chatcmpl-[^"]*"|"created":\d+/g, "");
  expect(named(again.text)).toBe(named(first.text));
  const { message, finish_reason } = JSON.parse((await ask(0, { content })).text).choices[0];
  expect(finish_reason).toBe("tool_calls");
  expect(message.tool_calls).toEqual([
    { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Bonn"}' } },
  ]);
});
