import { createServer } from "node:http";
import { decodeInfer, encodeInfer, headerLengthHeader, type Tensor } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { bodyOf } from "../support/answer-body.ts";
import { adminKey, startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";

/** The Open Inference Protocol around inference: language models, who may do what, metrics, and the way to the origin. */

let origin: RunningOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  origin = await startFakeOrigin();
  edge = await startEdge({ originUrl: origin.url });
  key = (await edge.issueKey()).key;
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

const infer = "/v2/models/intent/infer";
const text: Tensor = { datatype: "BYTES", shape: [2], data: ["what is the weather", "tell me a joke"] };

describe("language models", () => {
  test("generate gives one text for one text", async () => {
    const asked = { id: "g1", text_input: "Say hello.", parameters: { max_tokens: 16, temperature: 0 } };
    const answer = await edge.post("/v2/models/tiny-chat/generate", key, asked);
    expect(answer.status).toBe(200);
    expect(await bodyOf(answer)).toEqual({
      id: "g1",
      model_name: "tiny-chat",
      model_version: "1",
      text_output: expect.any(String),
    });
  });

  test("generate_stream gives the same text in pieces, and no end of its own", async () => {
    const asked = { text_input: "Say hello again.", temperature: 0 };
    const generated = await edge.post("/v2/models/tiny-chat/versions/1/generate", key, asked);
    const whole = (await generated.json()) as { readonly text_output: string };
    for (const _again of ["streamed", "from the cache"]) {
      const answer = await edge.post("/v2/models/tiny-chat/generate_stream", key, asked);
      expect(answer.headers.get("Content-Type")).toMatch(/^text\/event-stream/);
      const events = (await answer.text()).split("\n\n").filter(Boolean);
      const pieces = events.map((event) => JSON.parse(event.replace(/^data: /, "")));
      expect(pieces.map((piece) => piece.text_output).join("")).toBe(whole.text_output);
      expect(pieces[0]).toMatchObject({ model_name: "tiny-chat", model_version: "1" });
    }
  });

  test("refuses texts of the wrong type, and models that do not chat", async () => {
    expect((await edge.post("/v2/models/tiny-chat/generate", key, { text_input: 1 })).status).toBe(400);
    const answer = await edge.post("/v2/models/intent/generate", key, { text_input: "x" });
    expect([answer.status, (await bodyOf(answer)).code]).toEqual([400, "unsupported_task"]);
  });
});

describe("rights", () => {
  test.each(["load", "unload"])(
    "%s takes the operator's key and nothing else, and changes nothing without it",
    async (verb) => {
      const path = `/v2/repository/models/intent/${verb}`;
      expect((await edge.post(path, key, {})).status).toBe(401);
      expect((await fetch(edge.url + path, { method: "POST", body: "{}" })).status).toBe(401);
      expect((await edge.get("/v2/models/intent/ready", key)).status).toBe(200);
    },
  );

  test("looking takes a caller's key", async () => {
    for (const path of ["/v2/models", "/v2/models/intent", "/v2/models/intent/config", "/v2/models/stats"]) {
      expect((await edge.get(path)).status, path).toBe(401);
      expect((await edge.get(path, key)).status, path).toBe(200);
    }
    expect((await fetch(`${edge.url}/v2/repository/index`, { method: "POST" })).status).toBe(401);
  });

  test("an inline model that no tier can load leaves nothing registered", async () => {
    const config = JSON.stringify({
      input: [{ name: "x", data_type: "TYPE_FP32", dims: [1] }],
      output: [{ name: "y", data_type: "TYPE_FP32", dims: [1] }],
    });
    const parameters = { config, "file:1/model.onnx": Buffer.from("no model").toString("base64") };
    const answer = await edge.post("/v2/repository/models/broken/load", adminKey, { parameters });
    expect([answer.status, (await bodyOf(answer)).code]).toEqual([422, "package_rejected"]);
    expect((await edge.get("/v2/models/broken", key)).status).toBe(404);
  });
});

describe("metrics", () => {
  test("stand under Triton's names, by model and version, for the operator alone", async () => {
    expect((await edge.get("/metrics", key)).status).toBe(401);
    await edge.post(infer, key, { inputs: [{ name: "text", ...text }] }, { "Cache-Control": "no-store" });
    const success = /^nv_inference_request_success\{model="intent",version="1"\} ([1-9]\d*)$/m;
    await until("the call is counted", async () => success.test(await (await edge.get("/metrics", adminKey)).text()));
    const answer = await edge.get("/metrics", adminKey);
    expect(answer.headers.get("Content-Type")).toMatch(/^text\/plain/);
    const lines = (await answer.text()).trimEnd().split("\n");
    expect(lines).toContain("# TYPE nv_inference_count counter");
    expect(lines).toContain('nv_inference_request_failure{model="intent",version="1",reason="BACKEND"} 0');
    // What Triton does not count, the answer cache's events and blocks of bad callers, stands under our own names.
    const ours =
      /^ledge_(?:cache_events_total\{model="[\w.-]+",version="\d+",event="[a-z-]+"\}|blocks_total\{of="[a-z]+"\}|blocks_active) \d+$/;
    for (const line of lines.filter((one) => !one.startsWith("#") && !ours.test(one))) {
      expect(line).toMatch(/^nv_\w+\{model="[\w.-]+",version="\d+"(?:,reason="[A-Z]+")?\} \d+$/);
    }
  });
});

describe("the origin", () => {
  test("answers raw tensors when the edge does not, with the same request in binary form", async () => {
    // Only what it is asked is of interest here: a stand-in for it says what came.
    let asked: ReturnType<typeof decodeInfer> | undefined;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        asked = decodeInfer(
          Number(request.headers[headerLengthHeader.toLowerCase()]),
          new Uint8Array(Buffer.concat(chunks)),
        );
        const tensor: Tensor = { datatype: "FP32", shape: [1, 1], data: Float32Array.of(2.5) };
        const message = encodeInfer({ model_name: "intent" }, "outputs", [{ name: "logits", tensor, binary: true }]);
        if (!message.ok) return;
        response.setHeader(headerLengthHeader, String(message.value.headerLength));
        response.end(message.value.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const broken = `import { WorkerEntrypoint } from "cloudflare:workers";
      export default class extends WorkerEntrypoint {
        infer() { return { ok: false, fault: { code: "overloaded" } }; }
      }`;
    const other = await startEdge({ originUrl: `http://127.0.0.1:${port}`, standIns: { inference: broken } });
    try {
      const caller = (await other.issueKey()).key;
      const answer = await other.post("/v2/models/intent/infer", caller, {
        inputs: [{ name: "ids", datatype: "INT32", shape: [1, 2], data: [5, 6] }],
      });
      expect([answer.status, answer.headers.get("Ledge-Tier")]).toEqual([200, "origin"]);
      expect((await bodyOf(answer)).outputs).toEqual([
        { name: "logits", datatype: "FP32", shape: [1, 1], data: [2.5] },
      ]);
      expect(asked).toMatchObject({
        ok: true,
        value: { tensors: { ids: { datatype: "INT32", shape: [1, 2], data: Int32Array.of(5, 6) } } },
      });
    } finally {
      await other.close();
      server.close();
    }
  });
});
