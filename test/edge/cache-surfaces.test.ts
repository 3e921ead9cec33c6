import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { registerPackage } from "../../scripts/local/packages.ts";
import { startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";
import { deskOf, manifestOf } from "../support/registry.ts";

/** The answer cache through every surface that answers calls. */

const inference = `import { WorkerEntrypoint } from "cloudflare:workers";
  const timings = { queueMs: 0, prepareMs: 0, runMs: 0, shapeMs: 0, batchRows: 1, executions: 1 };
  export default class extends WorkerEntrypoint {
    predict({ model, inputs }) {
      const predictions = inputs.map((text) =>
        model === "embed-two" ? { embedding: [text.length, 1] } : { label: "yes", score: 0.5, top: [], logits: [1, 2, 3] });
      return { ok: true, value: { predictions, inputTokens: inputs.length, timings } };
    }
    infer() {
      const logits = { datatype: "FP32", shape: [1, 3], data: new Float32Array([1, 2, 3]) };
      return { ok: true, value: { outputs: { logits }, timings } };
    }
    load() { return { ok: true, value: { loadMs: 1, warmed: [1], wasmHeapBytes: 1 } }; }
  }`;

let origin: RunningOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  origin = await startFakeOrigin({ tokens: ["To", " be"] });
  edge = await startEdge({ standIns: { inference }, originUrl: origin.url });
  key = (await edge.issueKey()).key;
  const graph = new TextEncoder().encode("a graph that nobody runs");
  const embedding = { kind: "embedding", dimensions: 2 } as const;
  for (const manifest of [
    manifestOf("embed-two", graph, {
      task: "embedding",
      preprocess: { kind: "tokenizer" },
      postprocess: embedding,
      tiers: ["edge"],
    }),
    manifestOf("graph", graph, {
      inputs: [{ name: "ids", datatype: "INT32", shape: [-1, -1] }],
      outputs: [{ name: "logits", datatype: "FP32", shape: [-1, 3] }],
      tiers: ["edge"],
    }),
  ]) {
    await registerPackage(deskOf(edge), manifest, () => graph);
  }
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

const messages = [{ role: "user", content: "whole" }];
const ids = { name: "ids", datatype: "INT32", shape: [1, 2], data: [1, 2] };
const surfaces: readonly (readonly [name: string, path: string, body: object])[] = [
  ["predict", "/v1/predict", { model: "intent", input: "hi" }],
  ["embeddings", "/v1/embeddings", { model: "embed-two", input: "hi" }],
  [
    "embeddings of many texts",
    "/v1/embeddings",
    { model: "embed-two", input: Array.from({ length: 70 }, (_, i) => `${i}`) },
  ],
  ["chat completions", "/v1/chat/completions", { model: "tiny-chat", temperature: 0, messages }],
  [
    "infer through a model's steps",
    "/v2/models/intent/infer",
    { inputs: [{ name: "text", datatype: "BYTES", shape: [1], data: ["infer"] }] },
  ],
  ["infer through the graph", "/v2/models/graph/infer", { inputs: [ids] }],
  ["generate", "/v2/models/tiny-chat/generate", { text_input: "generate", temperature: 0 }],
];

test.each(surfaces)("%s says 304 to who has the answer, and how old a kept one is", async (_name, path, body) => {
  const first = await edge.post(path, key, body);
  expect([first.status, await first.text()]).toEqual([200, expect.any(String)]);
  expect(first.headers.get("Cache-Status")).toContain("fwd=miss; stored");
  expect(first.headers.get("Age")).toBeNull();
  const etag = first.headers.get("ETag") ?? "";
  expect(etag).toMatch(/^W\/"[A-Za-z0-9_-]{22}"$/);
  const again = await edge.post(path, key, body);
  expect(again.headers.get("Cache-Status")).toContain("hit");
  expect(again.headers.get("ETag")).toBe(etag);
  expect(again.headers.get("Age")).toMatch(/^\d+$/);
  const mine = await edge.post(path, key, body, { "If-None-Match": etag, "Cache-Control": "max-age=3600" });
  expect([mine.status, await mine.text()]).toEqual([304, ""]);
  expect(mine.headers.get("Cache-Status")).toContain("hit");
  const fresh = await edge.post(path, key, body, { "If-None-Match": etag, "Cache-Control": "no-cache" });
  expect(fresh.headers.get("Cache-Status")).toContain("fwd=request; stored");
  // What was made anew is the same, so there is nothing to send.
  expect(fresh.status).toBe(304);
});

describe("a stream", () => {
  test.each([
    [
      "/v1/chat/completions",
      { model: "tiny-chat", temperature: 0, stream: true, messages: [{ role: "user", content: "s" }] },
    ],
    ["/v2/models/tiny-chat/generate_stream", { text_input: "streamed", temperature: 0 }],
  ])("from the cache says 304 to who has it, too: %s", async (path, body) => {
    const first = await edge.post(path, key, body);
    await first.text();
    expect(first.headers.get("ETag")).toBeNull();
    let etag: string | null = null;
    await until("the stream is kept", async () => {
      const again = await edge.post(path, key, body);
      await again.text();
      etag = again.headers.get("ETag");
      return etag !== null;
    });
    const mine = await edge.post(path, key, body, { "If-None-Match": String(etag), "Cache-Control": "max-age=3600" });
    expect([mine.status, await mine.text()]).toEqual([304, ""]);
  });
});

test("a chat is answered from the cache through another surface than it was asked", async () => {
  const chat = { model: "tiny-chat", temperature: 0, messages: [{ role: "user", content: "twice" }] };
  await (await edge.post("/v1/chat/completions", key, chat)).text();
  const generated = await edge.post("/v2/models/tiny-chat/generate", key, { text_input: "twice", temperature: 0 });
  expect(generated.headers.get("Cache-Status")).toContain("hit");
});

test("a sampled chat is kept only for who says for how long", async () => {
  const chat = { model: "tiny-chat", temperature: 0.7, messages: [{ role: "user", content: "sampled" }] };
  const ask = async (headers = {}) => {
    const answer = await edge.post("/v1/chat/completions", key, chat, headers);
    await answer.text();
    return answer.headers.get("Cache-Status");
  };
  expect(await ask()).toBe("Ledge; fwd=bypass");
  expect(await ask({ "Ledge-Cache-Ttl": "60" })).toContain("fwd=miss; stored");
  expect(await ask({ "Ledge-Cache-Ttl": "60" })).toContain("hit");
  expect(await ask()).toBe("Ledge; fwd=bypass");
});
