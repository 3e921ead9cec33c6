import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { asks, collect, eventsOf, type Running, secret, startOrigin } from "./origin-process.ts";
import { events, json, type ScriptedServer, startScripted } from "./scripted-server.ts";

/** The engine `openai` in a real origin, before a server that is scripted for what real ones do seldom. */

let server: ScriptedServer;
let running: Running;
let openai: OpenAI;

beforeAll(async () => {
  server = await startScripted(json(200, { object: "list", data: [{ id: "org/big" }, { id: "org/vectors" }] }));
  const models = [
    { name: "big", servedName: "org/big" },
    { name: "vectors", servedName: "org/vectors", task: "embedding" },
  ];
  const far = { kind: "openai", url: "http://127.0.0.1:9/v1", models: [{ name: "far" }] };
  const engines = [{ kind: "openai", url: `${server.url}/v1`, keyVariable: "BIG_KEY", models }, far];
  running = await startOrigin({ MODELS: "none", ENGINES: JSON.stringify(engines), BIG_KEY: "key-of-the-engine" });
  openai = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: secret, maxRetries: 0 });
});
afterAll(async () => {
  await running?.origin.stop();
  await server?.close();
});
beforeEach(() => server.script(json(200, whole)));

const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13, prompt_tokens_details: { cached_tokens: 8 } };
const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Köln"}' } } as const;
const message = { role: "assistant", content: null, tool_calls: [call], reasoning_content: "Hm." };
const choices = [{ index: 0, message, logprobs: null, finish_reason: "tool_calls", stop_reason: null }];
const whole = { id: "chatcmpl-7", object: "chat.completion", created: 1, model: "org/big", choices, usage };
const chunk = (delta: object, reason: string | null = null) => ({
  id: "chatcmpl-8",
  object: "chat.completion.chunk",
  created: 2,
  model: "org/big",
  choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
});
const spent = { ...chunk({}), choices: [], usage };
const chat = (body: object = {}, init: RequestInit = {}) =>
  running.call("/v1/chat/completions", { json: asks("big", { ...body }), ...init });

describe("what passes", () => {
  const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
  const response_format = { type: "json_schema", json_schema: { name: "x", schema: { type: "object" } } };
  const asked = {
    messages: [
      { role: "user", content: "Weather?" },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "Rain." },
    ],
    tools,
    tool_choice: "required",
    response_format,
    min_p: 0.1,
    n: 2,
  };

  test("tool calls, structured output and what nobody here knows pass both ways untouched", async () => {
    const answer = await chat(asked);
    expect(await answer.json()).toEqual({ ...whole, model: "big" });
    expect(server.got[0]?.body).toEqual({ ...asks("org/big"), ...asked });
    expect(answer.headers.get("ledge-model")).toBe("big@1");
  });

  test("so they do in a stream, in the server's own chunks, with the usage only for those who asked", async () => {
    const deltas = [{ role: "assistant", content: null }, { tool_calls: [{ index: 0, ...call }] }];
    const said = [...deltas.map((delta) => chunk(delta)), chunk({}, "tool_calls")];
    server.script(events([...said, spent, "[DONE]"]));
    const named = said.map((body) => ({ ...body, model: "big" }));
    const plain = await collect(eventsOf(await chat({ ...asked, stream: true })));
    expect(plain.pop()).toBe("[DONE]");
    expect(plain.map((data) => JSON.parse(data))).toEqual(named);
    expect(server.got[0]?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    const counted = await collect(eventsOf(await chat({ stream: true, stream_options: { include_usage: true } })));
    const costs = counted.slice(0, -1).map((data) => JSON.parse(data));
    expect(costs).toEqual([...named.map((body) => ({ ...body, usage: null })), { ...spent, model: "big" }]);
  });

  test("the server gets its own name of the model and its own key, and nothing of the caller's", async () => {
    await chat();
    expect(server.got[0]?.body).toMatchObject({ model: "org/big" });
    expect(server.got[0]?.headers.authorization).toBe("Bearer key-of-the-engine");
    expect(JSON.stringify(server.got[0]?.headers)).not.toContain(secret);
  });

  test("OpenAI's client reads both", async () => {
    const read = await openai.chat.completions.create({ model: "big", messages: [{ role: "user", content: "?" }] });
    expect(read.choices[0]?.message.tool_calls?.[0]).toEqual(call);
    server.script(events([chunk({ content: "Hi" }), chunk({}, "stop"), "[DONE]"]));
    const stream = await openai.chat.completions.create({
      model: "big",
      messages: [{ role: "user", content: "?" }],
      stream: true,
    });
    const deltas = (await collect(stream)).map(({ choices }) => choices[0]?.delta.content ?? "");
    expect(deltas.join("")).toBe("Hi");
  });

  test("completions go to the server's own path, whole and streamed", async () => {
    const text = { id: "cmpl-1", object: "text_completion", created: 1, model: "org/big" };
    const choice = { index: 0, text: " upon a time", finish_reason: "stop", logprobs: null };
    server.script(json(200, { ...text, choices: [choice], usage }));
    const read = await openai.completions.create({ model: "big", prompt: "Once", echo: false });
    expect(read.choices[0]?.text).toBe(" upon a time");
    expect(server.got[0]).toMatchObject({ path: "/v1/completions", body: { model: "org/big", prompt: "Once" } });
    server.script(events([{ ...text, choices: [choice] }, "[DONE]"]));
    const stream = await openai.completions.create({ model: "big", prompt: "Once", stream: true });
    expect((await collect(stream)).map(({ choices }) => choices[0]?.text)).toEqual([" upon a time"]);
  });

  test("a model that makes embeddings is asked for them, in the texts' order, with what they cost", async () => {
    const data = [
      { index: 1, embedding: [0, 1] },
      { index: 0, embedding: [1, 0] },
    ];
    server.script(json(200, { data, usage: { prompt_tokens: 5, total_tokens: 5 } }));
    const inputs = ["a", "b"];
    const asked = { model: "vectors", version: "1", digest: "0".repeat(64), inputs, topK: 1, logits: false };
    const answer = await running.call("/v1/predict", { json: asked });
    const predictions = [{ embedding: [1, 0] }, { embedding: [0, 1] }];
    expect(await answer.json()).toMatchObject({ predictions, inputTokens: 5 });
    expect(server.got[0]).toMatchObject({ path: "/v1/embeddings", body: { model: "org/vectors", input: inputs } });
    server.script(json(200, { data: data.slice(1) }));
    expect((await running.call("/v1/predict", { json: asked })).status).toBe(502);
  });
});

describe("what a server refuses", () => {
  const openAiError = (text: string, code: unknown) => ({ error: { message: text, type: "x", param: null, code } });

  test.each([
    [429, openAiError("slow down", 429), { "retry-after": "7" }, 503, "overloaded", "7"],
    [503, { detail: "loading" }, { "retry-after": "2" }, 503, "overloaded", "2"],
    [503, "starting", {}, 503, "overloaded", null],
    [500, openAiError("CUDA error: an illegal memory access", null), {}, 502, "upstream_failed", null],
    [401, openAiError("bad key", "invalid_api_key"), {}, 502, "upstream_failed", null],
    [404, openAiError("no such model", "model_not_found_here"), {}, 503, "model_not_ready", null],
    [307, {}, { location: "http://127.0.0.1:9/" }, 502, "upstream_failed", null],
    [200, "no completion", {}, 502, "upstream_failed", null],
  ] as const)("%i %j is told as ours to mend, whole or streamed", async (status, body, headers, ours, code, retry) => {
    server.script(json(status, body, headers));
    for (const stream of [false, true]) {
      if (status === 200 && stream) continue;
      const answer = await chat({ stream });
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([ours, retry]);
      const text = await answer.text();
      expect(JSON.parse(text).code).toBe(code);
      expect(text).not.toMatch(/CUDA|bad key/);
    }
  });

  test.each([
    [400, openAiError("temperature must be lower", 400), 400, "invalid_request"],
    [422, { detail: "Unexpected fields" }, 400, "invalid_request"],
    [400, openAiError("This model's maximum context length is 512 tokens.", 400), 400, "context_length_exceeded"],
    [400, openAiError("too long", "context_length_exceeded"), 400, "context_length_exceeded"],
    [
      400,
      openAiError("max_tokens=9999 cannot be greater than max_model_len=512.", 400),
      400,
      "context_length_exceeded",
    ],
    [413, openAiError("too large", null), 413, "body_too_large"],
  ] as const)("%i %j is the caller's to mend, in the server's words", async (status, body, ours, code) => {
    server.script(json(status, body));
    const answer = await chat();
    expect(answer.status).toBe(ours);
    const words = "error" in body ? body.error.message : body.detail;
    expect(await answer.json()).toMatchObject({ code, detail: words });
  });

  test("Retry-After as a date is kept", async () => {
    server.script(json(503, {}, { "retry-after": new Date(Date.now() + 60_000).toUTCString() }));
    const seconds = Number((await chat()).headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(30);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  test("a server that is down is origin_unavailable, with a time to come back, and the start does not wait for it", async () => {
    const answer = await running.call("/v1/chat/completions", { json: asks("far") });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await answer.json()).toMatchObject({ code: "origin_unavailable" });
    expect(running.origin.stderr).toContain("http://127.0.0.1:9/v1 does not answer yet");
  });

  test("a server that never answers is left at the deadline", async () => {
    server.script(() => {});
    const answer = await chat({}, { headers: { "ledge-timeout-ms": "50" } });
    expect(await answer.json()).toMatchObject({ code: "deadline_exceeded" });
    await server.got[0]?.left;
  });
});

describe("a stream that dies", () => {
  const begun = [chunk({ role: "assistant", content: "" }), chunk({ content: "Half an" })];

  test.each([
    ["its connection is cut", events(begun, "cut"), "upstream_failed"],
    ["it ends in the middle", events(begun), "upstream_failed"],
    [
      "it says an error",
      events([...begun, { error: { message: "out of memory", code: 500 } }, "[DONE]"]),
      "upstream_failed",
    ],
    ["it says that it is full", events([...begun, { error: { message: "evicted", code: 503 } }]), "overloaded"],
    ["it says what is no JSON", events([...begun, "{", "[DONE]"]), "upstream_failed"],
  ])("ends with an error event of a retriable code and never [DONE]: %s", async (_how, script, code) => {
    server.script(script);
    const response = await chat({ stream: true });
    expect(response.status).toBe(200);
    const all = await collect(eventsOf(response));
    expect(all).not.toContain("[DONE]");
    expect(JSON.parse(all.at(-1) ?? "").error).toMatchObject({ code, type: "server_error" });
    expect(all.slice(0, -1).map((data) => JSON.parse(data).choices[0].delta.content)).toEqual(["", "Half an"]);
  });

  test("a server that leaves [DONE] out is whole when every choice said why it ended", async () => {
    server.script(events([...begun, chunk({}, "stop")]));
    expect((await collect(eventsOf(await chat({ stream: true })))).at(-1)).toBe("[DONE]");
  });

  test("a deadline in the middle is said in the stream, and the server hears of it", async () => {
    server.script(events(begun, "hang"));
    const all = await collect(eventsOf(await chat({ stream: true }, { headers: { "ledge-timeout-ms": "300" } })));
    expect(JSON.parse(all.at(-1) ?? "").error.code).toBe("deadline_exceeded");
    await server.got[0]?.left;
  });
});

describe("a caller who leaves", () => {
  test("a stream stops the server's work", async () => {
    server.script(events([chunk({ content: "Endless" })], "hang"));
    const reader = eventsOf(await chat({ stream: true }));
    await reader.next();
    await reader.return(undefined);
    await server.got[0]?.left;
  });

  test("before a whole answer stops the server's work", async () => {
    const caller = new AbortController();
    const arrived = new Promise<void>((resolve) => server.script(() => resolve()));
    const answer = chat({}, { signal: caller.signal }).catch(() => "left");
    await arrived;
    caller.abort();
    expect(await answer).toBe("left");
    await server.got[0]?.left;
  });
});

test("the log says what a relayed call cost and never what was said", async () => {
  server.script(json(200, { ...whole, choices: [{ index: 0, message: { content: "SECRET-ANSWER" } }] }));
  await (await chat({}, { headers: { "ledge-request-id": "relayed-1" } })).text();
  await expect
    .poll(() => running.origin.log().find((line) => line.requestId === "relayed-1"))
    .toMatchObject({ model: "big@1", promptTokens: 9, completionTokens: 4, status: 200 });
  expect(running.origin.stderr).not.toContain("SECRET-ANSWER");
});
