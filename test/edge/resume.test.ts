import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { bodyOf } from "../support/answer-body.ts";
import { type ChatOrigin, startChatOrigin } from "../support/chat-origin.ts";
import { startEdge, startOrigin, type TestEdge } from "../support/ledge.ts";

/** Streams that broke off, gone on with from what their callers have. */

function poolsOf(near: string, far: string): Readonly<Record<string, string>> {
  const pools = [
    { region: "near", origins: [{ name: "near-1", url: near }] },
    { region: "far", origins: [{ name: "far-1", url: far }] },
  ];
  return { ORIGIN_URL: "", ORIGINS: JSON.stringify(pools) };
}

describe("with the real model at two origins and the real client, a caller whose stream dies with its origin", () => {
  let near: RunningOrigin;
  let far: RunningOrigin;
  let edge: TestEdge;
  let openai: OpenAI;

  beforeAll(async () => {
    const models = { MODELS: "tiny-chat" };
    [near, far] = await Promise.all([startOrigin(models), startOrigin(models)]);
    edge = await startEdge({ dispatch: poolsOf(near.url, far.url) });
    const { key } = await edge.issueKey();
    const defaultHeaders = { "Cache-Control": "no-store" };
    openai = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0, defaultHeaders });
  });
  afterAll(async () => {
    await edge.close();
    await Promise.all([near.close(), far.close()]);
  });

  const asked = {
    model: "tiny-chat",
    messages: [{ role: "user" as const, content: "Tell me of war, long" }],
    temperature: 0,
    max_tokens: 60,
  };

  test("gets the rest from the other one: joined, it is the unbroken answer, each of its tokens counted once", async () => {
    const whole = await openai.chat.completions.create(asked);
    const unbroken = whole.choices[0]?.message.content ?? "";
    let [text, id] = ["", ""];
    const dying = async () => {
      for await (const chunk of await openai.chat.completions.create({ ...asked, stream: true })) {
        id = chunk.id;
        text += chunk.choices[0]?.delta.content ?? "";
        if (text !== "") await near.kill();
      }
    };
    await expect(dying()).rejects.toMatchObject({ code: "upstream_failed" });
    expect(text.length).toBeLessThan(unbroken.length);

    const resume = { text, id, origin: "near-1" };
    const options = { include_usage: true, resume };
    const { data, response } = await openai.chat.completions
      .create({ ...asked, stream: true, stream_options: options })
      .withResponse();
    expect(response.headers.get("Ledge-Origin")).toMatch(/^far-1; /);
    let rest = "";
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of data) {
      expect(chunk.id).toBe(id);
      rest += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage;
    }
    expect(text + rest).toBe(unbroken);
    // What was said is prompt now.
    expect(usage?.total_tokens).toBe(whole.usage?.total_tokens);
    expect(usage?.completion_tokens).toBeLessThan(whole.usage?.completion_tokens ?? 0);
  });
});

describe("a resumed call", () => {
  let near: ChatOrigin;
  let far: ChatOrigin;
  let edge: TestEdge;
  let key: string;

  beforeAll(async () => {
    [near, far] = await Promise.all([startChatOrigin(), startChatOrigin()]);
    for (const origin of [near, far]) {
      origin.onCall = (call) => {
        const { resume } = (call.body.stream_options ?? {}) as { resume?: object };
        if (call.body.stream !== true) return call.whole(resume === undefined ? "all of it" : "of it");
        call.say(...(resume === undefined ? ["all", " of", " it"] : [" of", " it"]));
        call.end();
      };
    }
    edge = await startEdge({ dispatch: poolsOf(near.url, far.url) });
    key = (await edge.issueKey()).key;
  });
  afterAll(async () => {
    await edge.close();
    await Promise.all([near.close(), far.close()]);
  });

  const chat = { model: "tiny-chat", temperature: 0, stream: true };
  const resume = { text: "all" };

  async function ask(about: string, options: object, headers: Record<string, string> = {}, stream = true) {
    const messages = [{ role: "user", content: about }];
    const body = { ...chat, messages, stream, stream_options: options };
    const answer = await edge.post("/v1/chat/completions", key, body, headers);
    const text = await answer.text();
    const pieces = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece);
    return {
      text: pieces.join(""),
      cache: answer.headers.get("Cache-Status") ?? "",
      by: answer.headers.get("Ledge-Origin")?.split(";")[0],
      ids: new Set([...text.matchAll(/"id":"([^"]*)"/g)].map(([, id]) => id)),
    };
  }

  test.each([
    ["streamed", true],
    ["whole", false],
  ])(
    "is never answered with a kept answer, and what it gets is never kept for who asks for all of it: %s",
    async (form, stream) => {
      const about = `kept ${form}`;
      const rest = stream ? " of it" : "of it";
      expect((await ask(about, { resume }, {}, stream)).text).toBe(rest);
      expect((await ask(about, {}, {}, stream)).text).toBe("all of it");
      expect(await ask(about, {}, {}, stream)).toMatchObject({
        text: "all of it",
        cache: expect.stringContaining("hit"),
      });
      const after = await ask(about, { resume }, {}, stream);
      expect(after.text).toBe(rest);
      expect(after.cache).not.toContain("hit");
    },
  );

  test("that is to be kept is kept for this text alone, under the id that it names", async () => {
    const keep = { "Ledge-Cache-Ttl": "60" };
    const named = { ...resume, id: "chatcmpl-first" };
    await ask("ttl", { resume: named }, keep);
    const again = await ask("ttl", { resume: named }, keep);
    expect(again).toMatchObject({ text: " of it", ids: new Set(["chatcmpl-first"]) });
    expect(again.cache).toContain("hit");
    const other = await ask("ttl", { resume: { text: "all of" } }, keep);
    expect(other.cache).not.toContain("hit");
    expect((await ask("ttl", {}, keep)).text).toBe("all of it");
  });

  test("does not join the flight of those who ask for all of it", async () => {
    const calls = await Promise.all([{}, { resume }, {}, { resume }].map((options) => ask("flight", options)));
    expect(calls.map(({ text }) => text)).toEqual(["all of it", " of it", "all of it", " of it"]);
  });

  test("is answered by another origin than the one that it names, or by that one when no other can", async () => {
    const named = { resume: { ...resume, origin: "near-1" } };
    expect((await ask("avoid", { resume })).by).toBe("near-1");
    expect((await ask("avoid", named)).by).toBe("far-1");
    const { onCall } = far;
    far.onCall = (call) => call.fault(503, "overloaded", 60);
    expect((await ask("avoid", named)).by).toBe("near-1");
    far.onCall = onCall;
  });

  test("that says what it has in another form than text is a 400, and nobody is asked", async () => {
    const before = near.calls.length + far.calls.length;
    const body = {
      ...chat,
      messages: [{ role: "user", content: "hi" }],
      stream_options: { resume: { tool_calls: [] } },
    };
    const refused = await edge.post("/v1/chat/completions", key, body);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([400, "invalid_request"]);
    expect(near.calls.length + far.calls.length).toBe(before);
  });
});
