import { gzipSync } from "node:zlib";
import { decodeInferAnswer, encodeInfer, type Tensor, type Tensors } from "@ledge/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";

/** The Open Inference Protocol beyond its JSON form: what surfaces.test.ts does not say and Triton's client does not ask. */

let edge: TestEdge;
let key: string;

beforeAll(async () => {
  edge = await startEdge();
  key = (await edge.issueKey()).key;
});
afterAll(() => edge.close());

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
    const near = Array.from((halves.logits?.data ?? []) as ArrayLike<number>).every(
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
    const config = (await (await edge.get("/v2/models/intent/config", key)).json()) as {
      readonly input: unknown;
      readonly parameters: { readonly graph_inputs: { readonly string_value: string } };
    };
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
    const beyond = {
      bytes: new Uint8Array([...right, 255, 255, 255, 127, 0, 0, 0, 128]),
      header: String(right.length),
    };
    for (const { bytes, header } of [beyond, ...fc.sample(noise, 200)]) {
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
