import { afterAll, beforeAll, expect, test } from "vitest";
import { collect, eventsOf, type Running, startFakes, startOrigin } from "./origin-process.ts";
import { events, type ScriptedServer, startScripted } from "./scripted-server.ts";

/** Answers that are gone on with from a text that the caller has: by the real small model, and by a server behind. */

const messages = [{ role: "user", content: "Good morrow. How fares the king?" }];

let ours: Running;
let server: ScriptedServer;
let relaying: Running;

beforeAll(async () => {
  ours = await startOrigin({ MODELS: "tiny-chat" });
  server = await startScripted(events([]));
  const models = [{ name: "big" }];
  const engines = [
    { kind: "openai", url: `${server.url}/v1`, resume: true, models },
    { kind: "openai", url: `${server.url}/v1`, models: [{ name: "unable" }] },
  ];
  relaying = await startOrigin({ MODELS: "none", ENGINES: JSON.stringify(engines) });
});
afterAll(async () => {
  await Promise.all([ours.origin.stop(), relaying.origin.stop()]);
  await server.close();
});

interface Chunk {
  readonly id: string;
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

async function answer(more: object, resume?: object, at = ours, model = "tiny-chat") {
  const stream_options = { include_usage: true, ...(resume === undefined ? {} : { resume }) };
  const body = { model, messages, stream: true, ...more, stream_options };
  const response = await at.call("/v1/chat/completions", { json: body });
  const said = await collect(eventsOf(response));
  expect([response.status, said.at(-1)]).toEqual([200, "[DONE]"]);
  const chunks = said.slice(0, -1).map((one) => JSON.parse(one) as Chunk);
  const pieces = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").filter((piece) => piece !== "");
  const reason = chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []).join();
  const { prompt_tokens: read = 0, completion_tokens: written = 0 } = chunks.at(-1)?.usage ?? {};
  return { pieces, text: pieces.join(""), reason, read, written, ids: new Set(chunks.map(({ id }) => id)) };
}

test.each([
  ["at temperature 0", { temperature: 0, max_tokens: 40 }],
  ["with a seed", { temperature: 1, seed: 7, max_tokens: 40 }],
])(
  "an answer %s that is resumed anywhere is the unbroken one, joined, and counts each token of it once",
  async (_how, more) => {
    const whole = await answer(more);
    expect(whole.pieces.length).toBeGreaterThan(5);
    for (let at = 0; at <= whole.pieces.length; at++) {
      const text = whole.pieces.slice(0, at).join("");
      const rest = await answer(more, { text });
      expect(text + rest.text).toBe(whole.text);
      expect(rest.reason).toBe(whole.reason);
      // What was said is read now, and not said again.
      expect(rest.read + rest.written).toBe(whole.read + whole.written);
    }
  },
);

test("an answer that had come to its limit is over, and says so", async () => {
  const more = { temperature: 0, max_tokens: 5 };
  const whole = await answer(more);
  expect(await answer(more, { text: whole.text })).toMatchObject({ text: "", reason: "length", written: 0 });
});

test("a resumed stream has the id of the one that broke off", async () => {
  const { ids } = await answer({ temperature: 0, max_tokens: 5 }, { text: "Why", id: "chatcmpl-first" });
  expect(ids).toEqual(new Set(["chatcmpl-first"]));
});

test("the scripted engine goes on with its script, and with nothing else", async () => {
  const fake = await startFakes([{ name: "m", tokens: ["a", "b", "c"] }]);
  expect(await answer({}, { text: "ab" }, fake, "m")).toMatchObject({ text: "c", written: 1 });
  const body = { model: "m", messages, stream_options: { resume: { text: "x" } } };
  expect((await fake.call("/v1/chat/completions", { json: body })).status).toBe(400);
  await fake.origin.stop();
});

const chunk = (delta: object, reason: string | null = null) => ({
  id: "chatcmpl-server",
  object: "chat.completion.chunk",
  created: 1,
  model: "served",
  choices: [{ index: 0, delta, finish_reason: reason }],
});

test("a server that can is sent what was said as the last message, and its stream keeps the first one's id", async () => {
  const usage = { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 };
  server.script(
    events([chunk({ content: " more" }), chunk({}, "stop"), { ...chunk({}), choices: [], usage }, "[DONE]"]),
  );
  const resume = { text: "Once", tokens: 1, id: "chatcmpl-first" };
  const rest = await answer({ max_tokens: 8 }, resume, relaying, "big");
  expect(rest).toMatchObject({ text: " more", reason: "stop", read: 9, written: 1, ids: new Set(["chatcmpl-first"]) });
  expect(server.got[0]?.body).toMatchObject({
    messages: [...messages, { role: "assistant", content: "Once" }],
    continue_final_message: true,
    add_generation_prompt: false,
    max_tokens: 7,
    stream_options: { include_usage: true },
  });
  expect(JSON.stringify(server.got[0]?.body)).not.toContain("resume");
});

test("a server that cannot is not asked, and the caller is told", async () => {
  server.script(events(["[DONE]"]));
  const body = { model: "unable", messages, stream: true, stream_options: { resume: { text: "Once" } } };
  const refused = await relaying.call("/v1/chat/completions", { json: body });
  expect([refused.status, await refused.json()]).toMatchObject([400, { code: "unsupported_parameter" }]);
  expect(server.got).toEqual([]);
});

test.each([
  ["calls of tools that were begun", { text: "", tool_calls: [{ id: "1" }] }],
  ["no text", {}],
  ["an id that is none", { text: "a", id: "a b" }],
])("what a caller has that is %s is a 400", async (_what, resume) => {
  const body = { model: "tiny-chat", messages, stream: true, stream_options: { resume } };
  const refused = await ours.call("/v1/chat/completions", { json: body });
  expect([refused.status, await refused.json()]).toMatchObject([400, { code: "invalid_request" }]);
});
