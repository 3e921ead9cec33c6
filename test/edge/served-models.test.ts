import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { json, type Script, type ScriptedServer, startScripted } from "../origin/scripted-server.ts";
import { bodyOf } from "../support/answer-body.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { adminKey, startEdge, startOrigin, type TestEdge, until } from "../support/ledge.ts";

/** Models without a package: the command line registers them, an engine behind a real origin serves them, any client asks for them. */

let server: ScriptedServer;
let origin: RunningOrigin;
let edge: TestEdge;
let openai: OpenAI;
let key: string;

const tensors = {
  name: "org/scores",
  platform: "onnxruntime_onnx",
  versions: ["1"],
  inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1, 1] }],
};
const completion = (content: string) => ({
  id: "x",
  object: "chat.completion",
  created: 1,
  model: "org/llama",
  choices: [
    { index: 0, message: { role: "assistant", content, refusal: null }, logprobs: null, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
});
const serve: Script = (got, response) => {
  const answers: Readonly<Record<string, object>> = {
    "/v1/models": { data: [{ id: "org/llama" }, { id: "org/llama-next" }, { id: "org/embed" }] },
    "/v1/chat/completions": completion((got.body as { model?: string })?.model ?? ""),
    "/v1/embeddings": { data: [{ index: 0, embedding: [0.5, 0.25] }], usage: { prompt_tokens: 2 } },
    "/v2/models/org%2Fscores": tensors,
    "/v2/models/org%2Fscores/infer": {
      model_name: "s",
      outputs: [{ name: "y", datatype: "FP32", shape: [1, 1], data: [7] }],
    },
  };
  const answer = answers[got.path] ?? {};
  return json(200, answer)(got, response);
};

async function ledge(...args: readonly string[]) {
  const terminal = fakeTerminal({ cwd: folder, env: { LEDGE_ADMIN_KEY: adminKey, LEDGE_URL: edge.url } });
  const code = await main(args, terminal);
  return { code, said: [...terminal.printed, ...terminal.said].join("\n") };
}

const folder = mkdtempSync(join(tmpdir(), "ledge-served-"));
writeFileSync(join(folder, "metadata.json"), JSON.stringify(tensors));

beforeAll(async () => {
  server = await startScripted(serve);
  const llamas = ["org/llama", "org/llama-next"].map((servedName, i) => ({
    name: "llama",
    version: `${i + 1}`,
    servedName,
  }));
  const embedder = { name: "bge", servedName: "org/embed", task: "embedding" };
  const engines = [
    { kind: "openai", url: `${server.url}/v1`, models: [...llamas, embedder] },
    { kind: "oip", url: server.url, models: [{ name: "scores", servedName: "org/scores" }] },
  ];
  origin = await startOrigin({ MODELS: "none", ENGINES: JSON.stringify(engines) });
  edge = await startEdge({ originUrl: origin.url });
  ({ key } = await edge.issueKey());
  openai = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0 });
});
afterAll(async () => {
  await edge?.close();
  await origin?.close();
  await server?.close();
});

function chat(model: string) {
  return openai.chat.completions.create({ model, messages: [{ role: "user", content: "Hello" }] }).withResponse();
}

test("a model that nobody attached is not found, and one that was is answered by the engine behind the origin", async () => {
  await expect(chat("llama")).rejects.toMatchObject({ status: 404 });
  const { code, said } = await ledge("model", "attach", "llama", "--task", "chat", "--revision", "a");
  expect([code, said]).toEqual([0, expect.stringContaining('{"name":"llama","version":"1"}')]);
  const { data, response } = await chat("llama");
  expect(data.choices[0]?.message.content).toBe("org/llama");
  expect(response.headers.get("Ledge-Model")).toBe("llama@1");
  expect(response.headers.get("Ledge-Tier")).toBe("origin");
});

test("the same again is the same version; another revision is another one, which a rollout or its number reaches", async () => {
  expect((await ledge("model", "attach", "llama", "--task", "chat", "--revision", "a")).said).toContain("already");
  const { said } = await ledge("model", "attach", "llama", "--task", "chat", "--revision", "b");
  expect(said).toContain("ledge rollout start llama@2");
  const { data } = await chat("llama@2");
  expect(data.choices[0]?.message.content).toBe("org/llama-next");
  expect((await ledge("model", "show", "llama")).said).toMatch(/origin +served/);
});

test("an attached model is listed, and described without a graph that it does not have", async () => {
  const ids = (await openai.models.list()).data.map(({ id }) => id);
  expect(ids).toContain("llama");
  const config = await bodyOf(await edge.get("/v2/models/llama/config", key));
  expect(config).toMatchObject({ name: "llama", platform: "", default_model_filename: "" });
});

test("an attached embedder gives vectors, of the length that was said and no other", async () => {
  await ledge("model", "attach", "bge", "--task", "embedding", "--dimensions", "2");
  const { data } = await openai.embeddings.create({ model: "bge", input: "Hello", encoding_format: "float" });
  expect(data[0]?.embedding).toEqual([0.5, 0.25]);
  const other = openai.embeddings.create({ model: "bge", input: "Hello", dimensions: 3 });
  await expect(other).rejects.toMatchObject({ status: 400 });
  const { outputs } = await bodyOf(await edge.get("/v2/models/bge", key));
  expect(outputs).toEqual([{ name: "embedding", datatype: "FP32", shape: [-1, 2] }]);
});

test("attached tensors are described as their server does, held to that, and inferred there", async () => {
  await ledge("model", "attach", "scores", "--task", "tensor", "--tensors", "metadata.json");
  const described = await bodyOf(await edge.get("/v2/models/scores", key));
  expect(described).toMatchObject({ inputs: tensors.inputs, outputs: tensors.outputs });
  const infer = (shape: readonly number[], data: readonly number[]) =>
    edge.post("/v2/models/scores/infer", key, { inputs: [{ name: "x", datatype: "FP32", shape, data }] });
  const answer = await bodyOf(await infer([1, 2], [1, 2]));
  expect(answer.outputs).toEqual([{ name: "y", datatype: "FP32", shape: [1, 1], data: [7] }]);
  expect((await infer([1, 3], [1, 2, 3])).status).toBe(400);
});

test("a version that no origin has yet is unavailable for now, not unknown", async () => {
  await ledge("model", "attach", "llama", "--task", "chat", "--revision", "c");
  await until("the third version is known", async () => {
    const answer = await edge.post("/v1/chat/completions", key, {
      model: "llama@3",
      messages: [{ role: "user", content: "Hi" }],
    });
    return answer.status === 503;
  });
});

test.each<[string, readonly string[], string]>([
  ["a task that no engine's surface has", ["--task", "text-classification"], "chats, embeds or takes tensors"],
  ["a length of vectors of what has none", ["--task", "chat", "--dimensions", "3"], "--dimensions"],
  ["tensors that nobody described", ["--task", "tensor"], "--tensors"],
  ["a description that is none", ["--task", "tensor", "--tensors", "absent.json"], "absent.json"],
])("%s is refused with what to type, and nothing is registered", async (_what, flags, says) => {
  const { code, said } = await ledge("model", "attach", "wrong", ...flags);
  expect([code, said]).toEqual([2, expect.stringContaining(says)]);
  expect((await ledge("model", "show", "wrong")).code).toBe(1);
});

test("a dry run says what it would do, and does nothing", async () => {
  const { code, said } = await ledge("model", "attach", "later", "--task", "chat", "--dry-run");
  expect([code, said]).toEqual([0, expect.stringContaining("This would register later")]);
  expect((await ledge("model", "show", "later")).code).toBe(1);
});
