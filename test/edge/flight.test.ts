import { describe, expect, test } from "vitest";
import {
  answered,
  ask,
  callsAre,
  contentOf,
  eventsOf,
  follow,
  fresh,
  origin,
  since,
  spoken,
  streamed,
  useFlightEdge,
  waiting,
} from "../support/flight-edge.ts";
import { until } from "../support/ledge.ts";

/** Equal misses at four gateways, in real workerd. */

useFlightEdge();

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
    // On a slow machine the last ones come when the answer is kept already.
    const shared = answers.filter(({ cache }) => /fwd=miss; collapsed|; hit/.test(cache));
    expect(shared).toHaveLength(99);
    expect(answers.some(({ cache }) => cache.includes("fwd=miss; collapsed"))).toBe(true);
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
  // All but what names the answer, and what it cost.
  const named = (text: string) => text.replaceAll(/"id":"chatcmpl-[^"]*"|"created":\d+|: ledge-cost .*\n\n/g, "");
  expect(named(again.text)).toBe(named(first.text));
  const { message, finish_reason } = JSON.parse((await ask(0, { content })).text).choices[0];
  expect(finish_reason).toBe("tool_calls");
  expect(message.tool_calls).toEqual([
    { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Bonn"}' } },
  ]);
});
