import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registerPackage } from "../../scripts/local/packages.ts";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";
import { deskOf, manifestOf } from "../support/registry.ts";

/** Embeddings through OpenAI's client and the Open Inference Protocol. The vector of a text is its length and its words. */

const inference = `import { WorkerEntrypoint } from "cloudflare:workers";
  const timings = { queueMs: 0, prepareMs: 0, runMs: 0, shapeMs: 0, batchRows: 1, executions: 1 };
  export default class extends WorkerEntrypoint {
    predict({ inputs }) {
      const predictions = inputs.map((text) => ({ embedding: [text.length, text.split(" ").length / 4] }));
      return { ok: true, value: { predictions, inputTokens: inputs.length, timings } };
    }
    load() { return { ok: true, value: { loadMs: 1, warmed: [1], wasmHeapBytes: 1 } }; }
  }`;

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference } });
  key = (await edge.issueKey()).key;
  const graph = new TextEncoder().encode("a graph that nobody runs");
  const manifest = manifestOf("embed", graph, {
    task: "embedding",
    preprocess: { kind: "tokenizer" },
    postprocess: { kind: "embedding", dimensions: 2 },
    tiers: ["edge"],
  });
  await registerPackage(deskOf(edge), manifest, () => graph);
});
afterAll(() => edge.close());

describe("OpenAI's client", () => {
  test("gets a vector for each text, in their order, however many there are", async () => {
    const openai = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key });
    const texts = Array.from({ length: 130 }, (_, i) => `text number ${i}`);
    const { data, model, usage } = await openai.embeddings.create({ model: "embed", input: texts });
    expect(model).toBe("embed");
    expect(data.map(({ embedding }) => embedding)).toEqual(texts.map((text) => [text.length, 0.75]));
    expect(usage).toEqual({ prompt_tokens: 130, total_tokens: 130 });
    const floats = await openai.embeddings.create({ model: "embed", input: "one", encoding_format: "float" });
    expect(floats.data[0]?.embedding).toEqual([3, 0.25]);
  });

  test("is refused models that do not embed, in OpenAI's error shape", async () => {
    const answer = await edge.post("/v1/embeddings", key, { model: "intent", input: "x" });
    expect(answer.status).toBe(400);
    expect((await bodyOf(answer)).error).toMatchObject({ code: "unsupported_task", type: "invalid_request_error" });
  });
});

describe("the Open Inference Protocol", () => {
  test("describes an embedder by its texts and its vector, and gives that", async () => {
    expect(await bodyOf(await edge.get("/v2/models/embed", key))).toMatchObject({
      inputs: [{ name: "text", datatype: "BYTES", shape: [-1] }],
      outputs: [{ name: "embedding", datatype: "FP32", shape: [-1, 2] }],
    });
    const inputs = [{ name: "text", datatype: "BYTES", shape: [2, 1], data: ["a b", "c"] }];
    const { outputs } = await bodyOf(await edge.post("/v2/models/embed/infer", key, { inputs }));
    expect(outputs).toEqual([{ name: "embedding", datatype: "FP32", shape: [2, 2], data: [3, 0.5, 1, 0.25] }]);
  });
});
