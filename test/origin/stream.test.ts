import type { ChatChunk } from "@ledge/contract";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { asks, collect, eventsOf, type Running, secret, startFakes } from "./origin-process.ts";

let running: Running;
let openai: OpenAI;
beforeAll(async () => {
  const fakes = [
    { name: "fake" },
    { name: "endless", endless: true, tokenMs: 20 },
    { name: "late", firstMs: 60_000 },
    { name: "dead", failAfter: 0 },
    { name: "dying", failAfter: 2 },
    { name: "split", tokens: ["one ", "E", "N", "D two"] },
    { name: "narrow", endless: true, tokenMs: 20 },
  ];
  running = await startFakes(fakes, { CHAT_RUNNING_MAX: "1", CHAT_WAITING_MAX: "1" });
  openai = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: secret, maxRetries: 0 });
});
afterAll(async () => {
  await running.origin.stop();
});

const messages = [{ role: "user" as const, content: "Tell me." }];
const chat = (json: unknown, init: RequestInit = {}) => running.call("/v1/chat/completions", { json, ...init });

test("the OpenAI client reads whole answers and streams, and both say the same", async () => {
  const whole = await openai.chat.completions.create({ model: "fake", messages });
  expect(whole.choices[0]).toMatchObject({ message: { content: "Hello from the fake." }, finish_reason: "stop" });
  const options = { stream: true, stream_options: { include_usage: true } } as const;
  const stream = await openai.chat.completions.create({ model: "fake", messages, ...options });
  const chunks = await collect(stream);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Hello from the fake.");
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
  expect((await openai.models.list()).data.map((model) => model.id)).toContain("fake");
});

test("a stream has the role first, then text, the reason, the usage if asked, and [DONE]", async () => {
  const json = asks("fake", { stream: true, stream_options: { include_usage: true } });
  const events = await collect(eventsOf(await chat(json)));
  expect(events.pop()).toBe("[DONE]");
  const chunks = events.map((event) => JSON.parse(event) as ChatChunk);
  expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "" });
  expect(chunks.at(-2)?.choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
  expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 2, completion_tokens: 5, total_tokens: 7 });
  expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
  const plain = await collect(eventsOf(await chat(asks("fake", { stream: true }))));
  expect(plain.some((event) => event.includes("usage"))).toBe(false);
});

test("tokens arrive as they are generated, not at the end", async () => {
  const response = await chat(asks("endless", { stream: true, max_tokens: 4000 }));
  const events = eventsOf(response);
  // The whole answer would take 80 seconds: three events in hand prove that nothing waited for it.
  for (let event = 0; event < 3; event++) expect((await events.next()).value).toContain("chunk");
  await events.return(undefined);
});

test("a cancelled stream frees its slot at once", async () => {
  const caller = new AbortController();
  const first = await chat(asks("narrow", { stream: true, max_tokens: 4000 }), { signal: caller.signal });
  await eventsOf(first).next();
  caller.abort();
  // One may run: the next is answered only if the first is gone. Its generation would have taken 80 seconds.
  const second = await chat(asks("narrow", { max_tokens: 1 }), { signal: AbortSignal.timeout(2000) });
  expect(second.status).toBe(200);
  await vi.waitFor(() => expect(running.origin.log().some((line) => line.code === "client_closed")).toBe(true));
});

test("a whole answer whose caller hangs up frees its slot too", async () => {
  const caller = new AbortController();
  const first = chat(asks("narrow", { max_tokens: 4000 }), { signal: caller.signal });
  first.catch(() => {});
  const waiting = chat(asks("narrow", { max_tokens: 1 }), { signal: AbortSignal.timeout(2000) });
  caller.abort();
  expect((await waiting).status).toBe(200);
});

test("a stop string split over two tokens is not emitted", async () => {
  const json = asks("split", { stop: ["END"] });
  const whole = (await (await chat(json)).json()) as { choices: unknown[] };
  expect(whole.choices[0]).toMatchObject({ message: { content: "one " }, finish_reason: "stop" });
  const events = await collect(eventsOf(await chat({ ...json, stream: true })));
  expect(events.join("")).not.toMatch(/"content":"[^"]*[END]/);
});

test("a limit on the tokens ends the answer with the reason length", async () => {
  const answer = await openai.chat.completions.create({ model: "fake", messages, max_completion_tokens: 2 });
  expect(answer.choices[0]).toMatchObject({ message: { content: "Hello from" }, finish_reason: "length" });
  expect(answer.usage?.completion_tokens).toBe(2);
});

test("a stream past its deadline ends with an error event and without [DONE]", async () => {
  const headers = { "ledge-timeout-ms": "150" };
  const response = await chat(asks("endless", { stream: true, max_tokens: 4000 }), { headers });
  expect(response.status).toBe(200);
  const events = await collect(eventsOf(response));
  expect(JSON.parse(events.at(-1) ?? "")).toEqual({
    error: { message: "The answer did not come within the deadline.", type: "server_error", code: "deadline_exceeded" },
  });
  expect(events).not.toContain("[DONE]");
});

test("the OpenAI client throws on a stream that dies", async () => {
  const stream = await openai.chat.completions.create({ model: "dying", messages, stream: true });
  await expect(collect(stream)).rejects.toMatchObject({ code: "upstream_failed" });
});

test("what fails before the first token is told by a status, streamed or not", async () => {
  const headers = { "ledge-timeout-ms": "50" };
  for (const stream of [false, true]) {
    expect((await chat(asks("late", { stream }), { headers })).status).toBe(504);
    expect((await chat(asks("dead", { stream }))).status).toBe(502);
  }
  expect((await chat(asks("dying"))).status).toBe(502);
});

test("more than may run and wait is refused with a time to come back, and a passed deadline frees the line", async () => {
  const headers = { "ledge-timeout-ms": "400" };
  const load = [0, 1, 2, 3].map(() => chat(asks("narrow", { max_tokens: 4000 }), { headers }));
  const answers = await Promise.all(load);
  expect(answers.map((answer) => answer.status).sort()).toEqual([503, 503, 504, 504]);
  const refused = answers.find((answer) => answer.status === 503);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(await refused?.json()).toMatchObject({ code: "overloaded", retryable: true });
  expect((await chat(asks("narrow", { max_tokens: 1 }))).status).toBe(200);
});
