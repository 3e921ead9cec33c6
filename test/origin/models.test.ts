import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PredictAnswer, packageDocument, packageManifest } from "@ledge/contract";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelsDirDefault } from "../../origin/src/config.ts";
import { asks, collect, eventsOf, type Running, secret, startOrigin } from "./origin-process.ts";

const manifest = packageManifest.parse(JSON.parse(readFileSync(join(modelsDirDefault, "intent/1/model.json"), "utf8")));
const digest = createHash("sha256").update(packageDocument(manifest)).digest("hex");

let running: Running;
let openai: OpenAI;
beforeAll(async () => {
  running = await startOrigin({ CHAT_RUNNING_MAX: "1", MODELS: "intent,tiny-chat" });
  openai = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: secret, maxRetries: 0 });
});
afterAll(async () => {
  await running.origin.stop();
});

const messages = [{ role: "user" as const, content: "Who is the king?" }];

async function predict(texts: readonly string[], more: Record<string, unknown> = {}): Promise<PredictAnswer> {
  const json = {
    model: "intent",
    version: "1",
    digest,
    inputs: texts,
    topK: 3,
    logits: false,
    ...more,
  };
  const response = await running.call("/v1/predict", { json });
  expect(response.status).toBe(200);
  expect([response.headers.get("ledge-model"), response.headers.get("ledge-tier")]).toEqual(["intent@1", "origin"]);
  return (await response.json()) as PredictAnswer;
}

test("the native classifier answers /v1/predict", async () => {
  const answer = await predict(["What is my account balance?", "book me a flight to Paris"], { logits: true });
  expect(answer.predictions.map((each) => each.label)).toEqual(["balance", "book_flight"]);
  const [first] = answer.predictions;
  expect(first?.top).toHaveLength(3);
  expect(first?.logits).toHaveLength(151);
  expect(answer.inputTokens).toBeGreaterThan(10);
  expect(answer.timings.runMs).toBeGreaterThan(0);
});

test("a text is answered the same alone and in a batch", async () => {
  const texts = ["what is the weather", "", "transfer ten dollars to savings", "日本語 😀 \ud800"];
  const together = (await predict(texts)).predictions;
  for (const [index, text] of texts.entries()) {
    const [alone] = (await predict([text])).predictions;
    expect(alone?.label).toBe(together[index]?.label);
    expect(alone?.score).toBeCloseTo(together[index]?.score ?? 0, 5);
  }
});

test("a classifier does not chat", async () => {
  expect((await running.call("/v1/chat/completions", { json: asks("intent") })).status).toBe(400);
});

test("the OpenAI client lists the models, reads a whole answer and streams the same one", async () => {
  expect((await openai.models.list()).data.map((model) => model.id).sort()).toEqual(["intent", "tiny-chat"]);
  const call = { model: "tiny-chat", messages, temperature: 0, max_tokens: 24 };
  const whole = await openai.chat.completions.create(call);
  const chunks = await collect(
    await openai.chat.completions.create({ ...call, stream: true, stream_options: { include_usage: true } }),
  );
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  expect(text).toBe(whole.choices[0]?.message.content);
  expect(text).not.toBe("");
  expect(chunks.at(-1)?.usage).toEqual(whole.usage);
  expect(chunks.length).toBeGreaterThan(5);
});

test("a seed makes sampled text reproducible, and without one it varies", async () => {
  const sample = async (seed?: number) => {
    const more = seed === undefined ? {} : { seed };
    const answer = await openai.chat.completions.create({ model: "tiny-chat", messages, max_tokens: 30, ...more });
    return answer.choices[0]?.message.content;
  };
  expect(await sample(11)).toBe(await sample(11));
  expect(await sample(11)).not.toBe(await sample(12));
  expect(new Set([await sample(), await sample(), await sample()]).size).toBeGreaterThan(1);
});

test("a prompt that fills the context is refused, one that just fits is answered", async () => {
  const long = [{ role: "user", content: "never ".repeat(600) }];
  const refused = await running.call("/v1/chat/completions", { json: asks("tiny-chat", { messages: long }) });
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([400, "context_length_exceeded"]);
});

test("text of any kind in a prompt is answered, not a 500", async () => {
  for (const content of ["", " ", "\u0000", "\ud800", "<|end|><|bos|>", "{{ 7 * 7 }}", "😀".repeat(20), "\r\n"]) {
    const json = asks("tiny-chat", { messages: [{ role: "user", content }], max_tokens: 2 });
    expect((await running.call("/v1/chat/completions", { json })).status).toBe(200);
  }
});

test("a cancelled stream of the real model frees its slot at once", async () => {
  for (let round = 0; round < 5; round++) {
    const caller = new AbortController();
    const json = asks("tiny-chat", { stream: true, max_tokens: 400, temperature: 2 });
    const response = await running.call("/v1/chat/completions", { json, signal: caller.signal });
    await eventsOf(response).next();
    caller.abort();
  }
  const next = asks("tiny-chat", { max_tokens: 1 });
  const response = await running.call("/v1/chat/completions", { json: next, signal: AbortSignal.timeout(2000) });
  expect(response.status).toBe(200);
});

test("a generation past its deadline is a 504", async () => {
  const headers = { "ledge-timeout-ms": "1" };
  const json = asks("tiny-chat", { max_tokens: 400 });
  expect((await running.call("/v1/chat/completions", { json, headers })).status).toBe(504);
});
