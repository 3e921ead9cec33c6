import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, startFakeOrigin, startOrigin, type TestEdge, until } from "../support/ledge.ts";

/** The gateway's part of a chat, with a scripted engine behind it; models.test.ts runs the real one. */

const words = ["To", " be", ",", " or", " not", "."];
const sentence = words.join("");

let origin: RunningOrigin;
let edge: TestEdge;
let key: string;
let openai: OpenAI;

beforeAll(async () => {
  origin = await startFakeOrigin({ tokens: words, tokenMs: 20 });
  edge = await startEdge({ originUrl: origin.url });
  key = (await edge.issueKey()).key;
  openai = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0 });
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

const say = (content: string) => [{ role: "user" as const, content }];

async function gather(stream: AsyncIterable<OpenAI.ChatCompletionChunk>) {
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  return { chunks, text };
}

describe("the openai client, unmodified", () => {
  test("gets a completion", async () => {
    const { data, response } = await openai.chat.completions
      .create({ model: "tiny-chat", messages: say("hello") })
      .withResponse();
    expect(data.choices[0]?.message).toMatchObject({ role: "assistant", content: sentence });
    expect(data.choices[0]?.finish_reason).toBe("stop");
    expect(data.usage?.completion_tokens).toBe(words.length);
    expect(response.headers.get("Ledge-Tier")).toBe("origin");
    expect(response.headers.get("Ledge-Model")).toBe("tiny-chat@1");
  });

  test("gets a stream whose tokens arrive as they come, not at the end", async () => {
    // A busy machine may deliver several at once; what is held back until the end never comes apart.
    await until("a stream comes in parts", async () => {
      const arrivals: number[] = [];
      let text = "";
      const stream = await openai.chat.completions.create({ model: "tiny-chat", messages: say("hi"), stream: true });
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        arrivals.push(performance.now());
      }
      expect(text).toBe(sentence);
      return (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0) > 60;
    });
  });

  test("gets usage in the last chunk of a stream when it asks for it", async () => {
    const stream = await openai.chat.completions.create({
      model: "tiny-chat",
      messages: say("hi"),
      stream: true,
      stream_options: { include_usage: true },
    });
    const { chunks } = await gather(stream);
    expect(chunks.at(-1)?.choices).toEqual([]);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(words.length);
  });

  test("lists and looks up models", async () => {
    const listed = [];
    for await (const model of openai.models.list()) listed.push(model.id);
    expect(listed).toEqual(["intent", "tiny-chat"]);
    expect((await openai.models.retrieve("tiny-chat")).id).toBe("tiny-chat");
    await expect(openai.models.retrieve("nothing")).rejects.toThrow(OpenAI.NotFoundError);
  });

  test("turns refusals into its own exceptions, with our code", async () => {
    const stranger = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: "wrong", maxRetries: 0 });
    const create = (client: OpenAI, model: string) => client.chat.completions.create({ model, messages: say("x") });
    await expect(create(stranger, "tiny-chat")).rejects.toThrow(OpenAI.AuthenticationError);
    await expect(create(openai, "gpt-9")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
    await expect(create(openai, "intent")).rejects.toMatchObject({ status: 400, code: "unsupported_task" });
    const many = openai.chat.completions.create({ model: "tiny-chat", messages: say("x"), n: 2 });
    await expect(many).rejects.toMatchObject({ status: 400, code: "unsupported_parameter" });
  });
});

test("the version that was assigned is the one that answers, though the origin has a newer one", async () => {
  const both = await startOrigin({
    MODELS: "none",
    FAKE_MODELS: JSON.stringify([
      { name: "tiny-chat", version: "1", tokens: ["one"] },
      { name: "tiny-chat", version: "2", tokens: ["two"] },
    ]),
  });
  const at = await startEdge({ originUrl: both.url });
  const theirs = (await at.issueKey()).key;
  for (const cached of [false, true]) {
    const answer = await at.post("/v1/chat/completions", theirs, {
      model: "tiny-chat@1",
      messages: say("which are you"),
      temperature: 0,
    });
    expect(answer.headers.get("Cache-Status")?.includes("hit")).toBe(cached);
    const body = await bodyOf(answer);
    expect([body.model, body.choices[0]?.message.content]).toEqual(["tiny-chat@1", "one"]);
  }
  await at.close();
  await both.close();
});

describe("a completion at temperature 0", () => {
  const ask = (content: string, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
    edge.post(
      "/v1/chat/completions",
      key,
      { model: "tiny-chat", messages: say(content), temperature: 0, ...more },
      headers,
    );

  test("is kept, and given again as it was", async () => {
    const first = await ask("keep this");
    expect(first.headers.get("Cache-Status")).toMatch(/^Ledge; fwd=miss; stored; key="[0-9a-f]{32}"$/);
    const whole = await bodyOf(first);
    const again = await ask("keep this");
    expect(again.headers.get("Cache-Status")).toContain("Ledge; hit");
    const kept = await bodyOf(again);
    expect(kept.choices).toEqual(whole.choices);
    expect(kept.usage).toEqual(whole.usage);
  });

  test("recorded from a stream answers a later stream in the same pieces, and a caller who wants none", async () => {
    const stream = (more = {}) =>
      openai.chat.completions.create({
        model: "tiny-chat",
        messages: say("record"),
        temperature: 0,
        stream: true,
        ...more,
      });
    const live = await gather(await stream());
    await until(
      "the record is kept",
      async () => (await ask("record")).headers.get("Cache-Status")?.includes("hit") === true,
    );
    const { data, response } = await stream({ stream_options: { include_usage: true } }).withResponse();
    expect(response.headers.get("Cache-Status")).toContain("hit");
    const replayed = await gather(data);
    const pieces = ({ chunks }: typeof live) => chunks.flatMap((chunk) => chunk.choices[0]?.delta.content || []);
    expect(pieces(replayed)).toEqual(pieces(live));
    expect((await bodyOf(await ask("record"))).choices[0]?.message.content).toBe(sentence);
  });

  test("is told apart by every parameter that changes it, and by none that does not", async () => {
    await ask("parameters", { max_tokens: 3 });
    for (const more of [{ max_tokens: 2 }, { max_tokens: 3, stop: "be" }, { max_tokens: 3, seed: 1 }]) {
      expect((await ask("parameters", more)).headers.get("Cache-Status"), JSON.stringify(more)).toContain("fwd=miss");
    }
    for (const more of [
      { max_tokens: 3, user: "bob" },
      { max_tokens: 3, metadata: { a: "b" } },
    ]) {
      expect((await ask("parameters", more)).headers.get("Cache-Status"), JSON.stringify(more)).toContain("hit");
    }
  });

  test("honours no-cache and no-store", async () => {
    await ask("directives");
    expect((await ask("directives", {}, { "Cache-Control": "no-cache" })).headers.get("Cache-Status")).toMatch(
      /^Ledge; fwd=request; stored; key="[0-9a-f]{32}"$/,
    );
    expect((await ask("directives", {}, { "Cache-Control": "no-store" })).headers.get("Cache-Status")).toBe(
      "Ledge; fwd=bypass",
    );
  });

  test("any other temperature is never kept", async () => {
    for (let call = 0; call < 2; call++) {
      expect((await ask("sampled", { temperature: 0.7 })).headers.get("Cache-Status")).toBe("Ledge; fwd=bypass");
      expect((await ask("sampled", { temperature: undefined })).headers.get("Cache-Status")).toBe("Ledge; fwd=bypass");
    }
  });
});

describe("a stream that goes wrong", () => {
  let other: RunningOrigin | undefined;
  let at: TestEdge | undefined;

  afterEach(async () => {
    await at?.close();
    await other?.close();
  });

  async function eventsOf(script: Record<string, unknown>, headers: Record<string, string> = {}, temperature = 0) {
    other = await startFakeOrigin(script);
    at = await startEdge({ originUrl: other.url });
    const { key: theirs } = await at.issueKey();
    const body = { model: "tiny-chat", messages: say("x"), stream: true, temperature };
    const send = () => at?.post("/v1/chat/completions", theirs, body, headers) ?? Promise.reject(new Error("no edge"));
    const answer = await send();
    const text = await answer.text();
    const events = text.split("\n\n").filter((event) => event.startsWith("data: "));
    return { answer, events: events.map((event) => event.slice(6)), send };
  }

  test("because the engine died says so in-band and never ends with [DONE], and is not kept", async () => {
    const { events, send } = await eventsOf({ tokens: words, tokenMs: 5, failAfter: 3 });
    const last = JSON.parse(events.at(-1) ?? "{}");
    expect(last.error.code).toBe("upstream_failed");
    expect(events).not.toContain("[DONE]");
    const again = await send();
    expect(again.headers.get("Cache-Status")).not.toContain("hit");
    await again.text();
  });

  test("because its origin was killed says so in-band and never ends with [DONE]", async () => {
    other = await startFakeOrigin({ endless: true, tokenMs: 20 });
    at = await startEdge({ originUrl: other.url });
    const { key: theirs } = await at.issueKey();
    const answer = await at.post("/v1/chat/completions", theirs, {
      model: "tiny-chat",
      messages: say("x"),
      stream: true,
    });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader?.read())?.value ?? "";
    await other.kill();
    for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read()) text += chunk.value;
    expect(text).toMatch(/data: \{"error":\{.*"code":"upstream_failed".*\}\}\n\n$/);
    expect(text).not.toContain("[DONE]");
  });

  test("because its deadline passed says so in-band", async () => {
    const { events } = await eventsOf({ endless: true, tokenMs: 20 }, { "Ledge-Timeout-Ms": "1500" });
    expect(JSON.parse(events.at(-1) ?? "{}").error.code).toBe("deadline_exceeded");
    expect(events).not.toContain("[DONE]");
  });

  test("makes the openai client throw, so that no cut answer passes for a whole one", async () => {
    other = await startFakeOrigin({ tokens: words, tokenMs: 5, failAfter: 3 });
    at = await startEdge({ originUrl: other.url });
    const client = new OpenAI({ baseURL: `${at.url}/v1`, apiKey: (await at.issueKey()).key, maxRetries: 0 });
    const stream = await client.chat.completions.create({ model: "tiny-chat", messages: say("x"), stream: true });
    await expect(gather(stream)).rejects.toThrow(OpenAI.APIError);
  });

  test("because the caller left frees the engine at once", async () => {
    other = await startFakeOrigin({ endless: true, tokenMs: 20 });
    at = await startEdge({ originUrl: other.url });
    const { key: theirs } = await at.issueKey();
    const leaving = new AbortController();
    const answer = await fetch(`${at.url}/v1/chat/completions`, {
      method: "POST",
      headers: { Authorization: `Bearer ${theirs}`, "Content-Type": "application/json" },
      body: JSON.stringify({ model: "tiny-chat", messages: say("x"), stream: true }),
      signal: leaving.signal,
    });
    await answer.body?.getReader().read();
    leaving.abort();
    await until(
      "the origin logs the end of the call",
      () => other?.logs.some((line) => line.includes("/v1/chat/completions")) === true,
    );
  });
});
