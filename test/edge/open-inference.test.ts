import { gzipSync } from "node:zlib";
import { decodeInfer, decodeInferAnswer, encodeInfer, type Tensor, type Tensors } from "@ledge/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { bodyOf } from "../support/answer-body.ts";
import { adminKey, startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";

/** The Open Inference Protocol beyond its JSON form: what surfaces.test.ts does not say and Triton's client does not ask. */

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

const length = "Inference-Header-Content-Length";
const texts = ["what is the weather", "tell me a joke"];
const text: Tensor = { datatype: "BYTES", shape: [2], data: texts };
const infer = "/v2/models/intent/infer";

/** A call in binary form. */
async function ask(inputs: Tensors, head: object = {}, headers: Readonly<Record<string, string>> = {}, path = infer) {
  const named = Object.entries(inputs).map(([name, tensor]) => ({ name, tensor, binary: true }));
  const message = encodeInfer(head, "inputs", named);
  if (!message.ok) throw new Error(message.fault.detail);
  const { body, headerLength } = message.value;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return await send(path, bytes, { [length]: String(headerLength), ...headers });
}

function send(path: string, body: Uint8Array, headers: Readonly<Record<string, string>>) {
  const all = { Authorization: `Bearer ${key}`, "Content-Type": "application/octet-stream", ...headers };
  return fetch(edge.url + path, { method: "POST", headers: all, body: new Uint8Array(body) });
}

async function tensorsOf(answer: Response): Promise<Tensors> {
  expect(answer.status).toBe(200);
  const header = answer.headers.get(length);
  const read = decodeInferAnswer(
    header === null ? undefined : Number(header),
    new Uint8Array(await answer.arrayBuffer()),
  );
  if (!read.ok) throw new Error(read.fault.code);
  return read.value;
}

describe("a model with steps of its own", () => {
  test("takes texts and gives labels, scores and logits in binary form, the same as in JSON", async () => {
    const binary = await ask({ text }, { parameters: { binary_data_output: true } });
    expect(binary.headers.get("Content-Type")).toBe("application/octet-stream");
    const json = await edge.post(infer, key, { inputs: [{ name: "text", ...text }] });
    expect(json.headers.get("Content-Type")).toBe("application/json");
    expect(await tensorsOf(binary)).toEqual(await tensorsOf(json));
  });

  test("classifies with labels, best first, as value:index:label", async () => {
    const outputs = [{ name: "logits", parameters: { classification: 3 } }];
    const { logits } = await tensorsOf(await ask({ text }, { outputs }));
    expect(logits).toMatchObject({ datatype: "BYTES", shape: [2, 3] });
    expect(logits?.data[0]).toMatch(/^\d+\.\d{6}:\d+:weather$/);
    expect(logits?.data[3]).toMatch(/^\d+\.\d{6}:\d+:tell_joke$/);
  });

  test("gives FP32 outputs as BF16 when asked", async () => {
    const outputs = [{ name: "logits", parameters: { datatype: "BF16" } }, { name: "score" }];
    const answer = await ask({ text }, { outputs });
    const halves = await tensorsOf(answer);
    const { logits } = await tensorsOf(
      await ask({ text }, { outputs: [{ name: "logits", parameters: { binary_data: true } }] }),
    );
    const near = [...(halves.logits?.data as Float32Array)].every(
      (value, i) => Math.abs(value - Number(logits?.data[i])) <= Math.abs(value) / 128,
    );
    expect(near).toBe(true);
  });

  test("a raw body is one text", async () => {
    const { label } = await tensorsOf(
      await send(infer, new TextEncoder().encode("what is the weather"), { [length]: "0" }),
    );
    expect(label).toEqual({ datatype: "BYTES", shape: [1], data: ["weather"] });
  });

  test("takes raw tensors for its graph all the same, which its configuration lists", async () => {
    const config = await bodyOf(await edge.get("/v2/models/intent/config", key));
    expect(config.input).toEqual([{ name: "text", data_type: "TYPE_STRING", dims: [1], reshape: { shape: [] } }]);
    expect(JSON.parse(config.parameters.graph_inputs.string_value)).toEqual([
      { name: "ids", data_type: "TYPE_INT32", dims: [-1, -1] },
    ]);
    const ids: Tensor = { datatype: "INT32", shape: [1, 4], data: Int32Array.of(1, 2, 3, 0) };
    const { logits, ...others } = await tensorsOf(await ask({ ids }));
    expect(logits).toMatchObject({ datatype: "FP32", shape: [1, 151] });
    expect(others).toEqual({});
  });

  test("a text that is not UTF-8 is refused by name", async () => {
    const inputs = [{ name: "text", datatype: "BYTES", shape: [1], parameters: { binary_data_size: 5 } }];
    const head = new TextEncoder().encode(JSON.stringify({ inputs }));
    const answer = await send(infer, new Uint8Array([...head, 1, 0, 0, 0, 0xff]), { [length]: String(head.length) });
    expect(answer.status).toBe(400);
    expect(await bodyOf(answer)).toMatchObject({ code: "invalid_shape", error: expect.stringContaining("'text'") });
  });
});

describe("anything at all", () => {
  test("in binary form is answered below 500", async () => {
    const right = new TextEncoder().encode(
      JSON.stringify({
        inputs: [{ name: "ids", datatype: "INT32", shape: [1, 2], parameters: { binary_data_size: 8 } }],
      }),
    );
    const whole = new Uint8Array([...right, 1, 0, 0, 0, 2, 0, 0, 0]);
    const noise = fc.record({
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => whole.with(at, byte)),
        fc.nat(whole.length).map((end) => whole.subarray(0, end)),
      ),
      header: fc.oneof(
        fc.constant(String(right.length)),
        fc.nat(300).map(String),
        fc.string({ maxLength: 5 }).map(encodeURIComponent),
      ),
    });
    for (const { bytes, header } of fc.sample(noise, 200)) {
      const answer = await send(infer, bytes, { [length]: header });
      expect(answer.status, `${header} ${[...bytes]}`).toBeLessThan(500);
      await answer.arrayBuffer();
    }
  });
});

describe("the cache", () => {
  test("the JSON and the binary form of one tensor share an answer", async () => {
    const ids: Tensor = { datatype: "INT32", shape: [1, 3], data: Int32Array.of(7, 8, 9) };
    const first = await ask({ ids });
    expect(first.headers.get("Cache-Status")).toMatch(/fwd=miss/);
    const input = { name: "ids", datatype: "INT32", shape: [1, 3], data: [[7, 8, 9]] };
    const second = await edge.post(infer, key, { inputs: [input] });
    expect(second.headers.get("Cache-Status")).toMatch(/hit/);
    expect(await tensorsOf(second)).toEqual(await tensorsOf(first));
  });

  test("another shape, datatype or output is another answer", async () => {
    const given = [{ name: "ids", datatype: "INT32", shape: [3, 1], data: [7, 8, 9] }];
    expect((await edge.post(infer, key, { inputs: given })).headers.get("Cache-Status")).toMatch(/fwd=miss/);
  });
});

describe("compression", () => {
  test("what inflates beyond the bound is a 413, however small it came", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    const answer = await send(infer, bomb, { "Content-Encoding": "gzip", [length]: "10" });
    expect([answer.status, (await bodyOf(answer)).code]).toEqual([413, "body_too_large"]);
  });

  test("a body that is cut short or not what its header says is a 400", async () => {
    const whole = gzipSync(JSON.stringify({ inputs: [{ name: "text", ...text }] }));
    for (const [body, encoding] of [
      [whole.subarray(0, 30), "gzip"],
      [whole, "deflate"],
      [Buffer.from("{}"), "gzip"],
    ] as const) {
      const answer = await send(infer, body, { "Content-Encoding": encoding });
      expect([answer.status, (await bodyOf(answer)).code]).toEqual([400, "invalid_encoding"]);
    }
  });

  test("an answer comes in the encoding that was asked for", async () => {
    for (const encoding of ["gzip", "deflate"]) {
      const answer = await ask({ text }, {}, { "Accept-Encoding": encoding });
      expect(answer.headers.get("Content-Encoding")).toBe(encoding);
      expect((await tensorsOf(answer)).label?.data).toHaveLength(2);
    }
    const plain = await ask({ text }, {}, { "Accept-Encoding": "identity" });
    expect(plain.headers.get("Content-Encoding")).toBe(null);
  });
});

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
    const whole = await bodyOf(await edge.post("/v2/models/tiny-chat/versions/1/generate", key, asked));
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
    for (const line of lines.filter((one) => !one.startsWith("#"))) {
      expect(line).toMatch(/^nv_\w+\{model="[\w.-]+",version="\d+"(?:,reason="[A-Z]+")?\} \d+$/);
    }
  });
});

describe("the origin", () => {
  test("answers raw tensors when the edge does not, with the same request in binary form", async () => {
    // Only what it is asked is of interest here: a stand-in for it says what came.
    const { createServer } = await import("node:http");
    let asked: ReturnType<typeof decodeInfer> | undefined;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        asked = decodeInfer(Number(request.headers[length.toLowerCase()]), new Uint8Array(Buffer.concat(chunks)));
        const tensor: Tensor = { datatype: "FP32", shape: [1, 1], data: Float32Array.of(2.5) };
        const message = encodeInfer({ model_name: "intent" }, "outputs", [{ name: "logits", tensor, binary: true }]);
        if (!message.ok) return;
        response.setHeader(length, String(message.value.headerLength));
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
