import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge();
  key = (await edge.issueKey()).key;
});
afterAll(() => edge.close());

const texts = ["what is the weather", "tell me a joke"];
const text = { name: "text", datatype: "BYTES", shape: [2], data: texts };
const infer = "/v2/models/intent/infer";

describe("the Open Inference Protocol", () => {
  test("tells of the server, its health and its models", async () => {
    expect(await bodyOf(await edge.get("/v2", key))).toMatchObject({ name: "ledge", version: "0.1.0" });
    expect((await edge.get("/v2/health/live")).status).toBe(200);
    expect((await edge.get("/v2/health/ready")).status).toBe(200);
    expect(await bodyOf(await edge.get("/v2/models", key))).toEqual({ models: ["intent", "tiny-chat"] });
    expect((await edge.get("/v2/models/intent/ready", key)).status).toBe(200);
    expect((await edge.get("/v2/models/intent/versions/1/ready", key)).status).toBe(200);
    expect((await edge.get("/v2/models/intent/versions/2/ready", key)).status).toBe(404);
  });

  test("describes a model as it is served: texts in, labels out", async () => {
    for (const path of ["/v2/models/intent", "/v2/models/intent/versions/1"]) {
      expect(await bodyOf(await edge.get(path, key))).toEqual({
        name: "intent",
        versions: ["1"],
        platform: "onnx_onnxv1",
        inputs: [{ name: "text", datatype: "BYTES", shape: [-1] }],
        outputs: [
          { name: "label", datatype: "BYTES", shape: [-1] },
          { name: "score", datatype: "FP32", shape: [-1] },
          { name: "logits", datatype: "FP32", shape: [-1, 151] },
        ],
      });
    }
  });

  test("infers: labels, scores and logits of the shapes it declared, the same as /v1/predict", async () => {
    const answer = await edge.post(infer, key, { id: "42", inputs: [text] });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Ledge-Tier")).toBe("edge");
    const body = await bodyOf(answer);
    expect(body).toMatchObject({ model_name: "intent", model_version: "1", id: "42" });
    const [label, score, logits] = body.outputs;
    expect(label).toMatchObject({ name: "label", datatype: "BYTES", shape: [2] });
    expect(score).toMatchObject({ name: "score", datatype: "FP32", shape: [2] });
    expect(logits).toMatchObject({ name: "logits", datatype: "FP32", shape: [2, 151] });
    expect(logits.data).toHaveLength(302);
    const predicted = await bodyOf(await edge.post("/v1/predict", key, { model: "intent", input: texts }));
    expect(label.data).toEqual(predicted.output.map((row: { label: string }) => row.label));
    expect(score.data).toEqual(predicted.output.map((row: { score: number }) => Math.fround(row.score)));
  });

  test("takes data flat or nested, and gives only the outputs asked for, in their order", async () => {
    const nested = { ...text, shape: [2, 1], data: texts.map((one) => [one]) };
    const outputs = [{ name: "score" }, { name: "label" }];
    const answer = await edge.post("/v2/models/intent/versions/1/infer", key, { inputs: [nested], outputs });
    expect((await bodyOf(answer)).outputs.map((one: { name: string }) => one.name)).toEqual(["score", "label"]);
  });

  test.each<[string, unknown]>([
    ["a shape that does not fit the data", { inputs: [{ ...text, shape: [3] }] }],
    ["a wrong rank", { inputs: [{ ...text, shape: [1, 1, 2] }] }],
    ["a wrong datatype", { inputs: [{ ...text, datatype: "FP32", data: [1, 2] }] }],
    ["numbers where strings belong", { inputs: [{ ...text, data: [1, 2] }] }],
    ["no data", { inputs: [{ name: "text", datatype: "BYTES", shape: [2] }] }],
    ["no rows", { inputs: [{ ...text, shape: [0], data: [] }] }],
    ["more rows than a batch takes", { inputs: [{ ...text, shape: [65], data: Array(65).fill("x") }] }],
    ["another input", { inputs: [{ ...text, name: "ids" }] }],
    ["two inputs", { inputs: [text, text] }],
    ["another output", { inputs: [text], outputs: [{ name: "probabilities" }] }],
  ])("refuses %s with 400 invalid_shape, in its own error shape", async (_what, body) => {
    const answer = await edge.post(infer, key, body);
    expect(answer.status).toBe(400);
    expect((await bodyOf(answer)).error).toMatch(/^invalid_shape: /);
  });

  test("refuses to infer with a chat model", async () => {
    const answer = await edge.post("/v2/models/tiny-chat/infer", key, { inputs: [text] });
    expect(answer.status).toBe(400);
    expect((await bodyOf(answer)).error).toMatch(/^unsupported_task: /);
  });
});

describe("operations", () => {
  test("healthz and readyz need no key", async () => {
    expect((await edge.get("/healthz")).status).toBe(200);
    expect((await edge.get("/readyz")).status).toBe(200);
  });

  test("openapi.json describes every path that is served, and each is served", async () => {
    const document = await bodyOf(await edge.get("/openapi.json"));
    expect(document.openapi).toMatch(/^3\.1\./);
    for (const path of Object.keys(document.paths)) {
      const answer = await edge.get(path.replaceAll(/\{\w+\}/g, "x"));
      expect(answer.status === 404 && (await bodyOf(answer)).code === "not_found", path).toBe(false);
    }
  });

  test("every answer carries the caller's request id, or one of ours", async () => {
    const named = await edge.post(
      "/v1/predict",
      key,
      { model: "intent", input: "hi" },
      { "Ledge-Request-Id": "abc-123" },
    );
    expect(named.headers.get("Ledge-Request-Id")).toBe("abc-123");
    const odd = await edge.post("/v1/predict", key, { model: "intent", input: "hi" }, { "Ledge-Request-Id": "a b" });
    expect(odd.headers.get("Ledge-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});
