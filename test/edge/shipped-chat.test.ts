import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { startEdge, startOrigin, type TestEdge } from "../support/ledge.ts";

/** The whole way with nothing scripted: the openai client, the gateway in workerd, the origin, the shipped model. */

let origin: RunningOrigin;
let edge: TestEdge;
let openai: OpenAI;

beforeAll(async () => {
  origin = await startOrigin();
  edge = await startEdge({ originUrl: origin.url });
  const noStore = { "Cache-Control": "no-store" };
  const { key } = await edge.issueKey();
  openai = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0, defaultHeaders: noStore });
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

const messages = [{ role: "user" as const, content: "Good morrow. How fares the king?" }];
const asked = { model: "tiny-chat", messages, max_tokens: 60 };

async function whole(more: object): Promise<string> {
  return (await openai.chat.completions.create({ ...asked, ...more })).choices[0]?.message.content ?? "";
}

async function streamed(more: object): Promise<{ text: string; chunks: number; waitMs: number; totalMs: number }> {
  const startedMs = performance.now();
  const stream = await openai.chat.completions.create({ ...asked, ...more, stream: true });
  let [text, chunks, waitMs] = ["", 0, 0];
  for await (const chunk of stream) {
    const content = chunk.choices[0]?.delta.content ?? "";
    if (content !== "" && chunks++ === 0) waitMs = performance.now() - startedMs;
    text += content;
  }
  return { text, chunks, waitMs, totalMs: performance.now() - startedMs };
}

test("temperature 0 gives the same text every time, streamed or not, with no cache in between", async () => {
  const first = await whole({ temperature: 0 });
  expect(first.length).toBeGreaterThan(10);
  expect(await whole({ temperature: 0 })).toBe(first);
  expect((await streamed({ temperature: 0 })).text).toBe(first);
});

test("the same seed gives the same text, another seed another", async () => {
  const first = await whole({ temperature: 1, seed: 7 });
  expect(await whole({ temperature: 1, seed: 7 })).toBe(first);
  const others = await Promise.all([8, 9, 10].map((seed) => whole({ temperature: 1, seed })));
  expect(others.some((text) => text !== first)).toBe(true);
});

test("tokens stream as they are generated: the first arrives long before the last", async () => {
  const { chunks, waitMs, totalMs } = await streamed({ temperature: 1, seed: 3, max_tokens: 200, stop: null });
  expect(chunks).toBeGreaterThan(5);
  expect(waitMs).toBeLessThan(totalMs);
});

test("a prompt that does not fit the context is a 400 that says so", async () => {
  const long = [{ role: "user" as const, content: "word ".repeat(2_000) }];
  const refused = openai.chat.completions.create({ model: "tiny-chat", messages: long });
  await expect(refused).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
});
