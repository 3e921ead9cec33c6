import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { collect } from "../origin/origin-process.ts";
import { events, json, type ScriptedServer, startScripted } from "../origin/scripted-server.ts";
import { startEdge, startOrigin, type TestEdge } from "../support/ledge.ts";

/** The whole way: OpenAI's client, the edge, the real origin, and a server that is its engine. */

let server: ScriptedServer;
let origin: RunningOrigin;
let edge: TestEdge;
let openai: OpenAI;

beforeAll(async () => {
  server = await startScripted(json(200, { data: [{ id: "org/big" }] }));
  const models = [{ name: "tiny-chat", servedName: "org/big" }];
  const engines = [{ kind: "openai", url: `${server.url}/v1`, models }];
  origin = await startOrigin({ MODELS: "none", ENGINES: JSON.stringify(engines) });
  edge = await startEdge({ originUrl: origin.url });
  const { key } = await edge.issueKey();
  openai = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0 });
});
afterAll(async () => {
  await edge?.close();
  await origin?.close();
  await server?.close();
});

const call = { id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } } as const;
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }] as const;
const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
const head = { id: "x", created: 1, model: "org/big" };
const chunk = (delta: object, reason: string | null = null) => ({
  ...head,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
});

test("tool calls pass from the client through edge and origin to the server and back", async () => {
  const message = { role: "assistant", content: null, tool_calls: [call], refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "tool_calls" }];
  server.script(json(200, { ...head, object: "chat.completion", choices, usage }));
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: "user", content: "Weather?" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "call_1", content: "Rain." },
  ];
  const { data, response } = await openai.chat.completions
    .create({ model: "tiny-chat", messages, tools: [...tools] })
    .withResponse();
  expect(data.choices[0]?.message).toMatchObject({ content: null, tool_calls: [call] });
  expect(data.usage).toEqual(usage);
  expect(response.headers.get("Ledge-Tier")).toBe("origin");
  expect(server.got[0]?.body).toMatchObject({ model: "org/big", messages, tools });
});

test("so they do in a stream, with the usage that the server counted", async () => {
  const said = [chunk({ role: "assistant", content: null }), chunk({ tool_calls: [{ index: 0, ...call }] })];
  server.script(events([...said, chunk({}, "tool_calls"), { ...head, choices: [], usage }, "[DONE]"]));
  const stream = await openai.chat.completions.create({
    model: "tiny-chat",
    messages: [{ role: "user", content: "Weather, as a stream?" }],
    tools: [...tools],
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await collect(stream);
  expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([{ index: 0, ...call }]);
  expect(chunks.at(-1)?.usage).toEqual(usage);
});

test("a stream that dies at the server is an error at the client, never a short answer", async () => {
  server.script(events([chunk({ role: "assistant", content: "" }), chunk({ content: "Half an" })], "cut"));
  const stream = await openai.chat.completions.create({
    model: "tiny-chat",
    messages: [{ role: "user", content: "Die." }],
    stream: true,
  });
  await expect(collect(stream)).rejects.toThrow();
});
