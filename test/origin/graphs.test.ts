import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  decodeInferAnswer,
  encodeInfer,
  headerLengthHeader,
  type PredictAnswer,
  type PredictInput,
  type Tensor,
  type Tensors,
} from "@ledge/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { everyType, packages, readGolden, value } from "./graph-models.ts";
import { type WrittenPackage, writePackage } from "./graph-packages.ts";
import { OriginProcess, type Running, secret, startOrigin } from "./origin-process.ts";

let modelsDir = "";
let running: Running;
const digests = new Map<string, string>();

beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "ledge-graphs-"));
  for (const [name, made] of Object.entries(packages)) digests.set(name, await writePackage(modelsDir, name, made));
  running = await startOrigin({ MODELS_DIR: modelsDir });
});
afterAll(async () => {
  await running.origin.stop();
  await rm(modelsDir, { recursive: true });
});

const inferPath = (model: string) => `/v2/models/${model}/versions/1/infer`;

function post(model: string, body: string | Uint8Array, headerLength?: number): Promise<Response> {
  const length = headerLength === undefined ? {} : { [headerLengthHeader]: String(headerLength) };
  const headers = { "content-type": "application/octet-stream", ...length };
  return running.call(inferPath(model), { method: "POST", body: new Uint8Array(Buffer.from(body)), headers });
}

/** As the gateway asks: everything in binary, the package by its digest. */
function ask(model: string, inputs: Tensors, head: object = {}): Promise<Response> {
  const tensors = Object.entries(inputs).map(([name, tensor]) => ({ name, tensor, binary: true }));
  const parameters = { digest: digests.get(model) ?? "", binary_data_output: true };
  const message = encodeInfer({ parameters, ...head }, "inputs", tensors);
  if (!message.ok) throw new Error(message.fault.detail);
  return post(model, message.value.body, message.value.headerLength);
}

async function outputsOf(response: Response): Promise<Tensors> {
  expect(response.status).toBe(200);
  const length = response.headers.get(headerLengthHeader);
  const answer = decodeInferAnswer(Number(length), new Uint8Array(await response.arrayBuffer()));
  if (!answer.ok) throw new Error(answer.fault.detail);
  return answer.value;
}

async function refusalOf(response: Response): Promise<[number, string, string]> {
  const { code, detail } = (await response.json()) as { code: string; detail: string };
  return [response.status, code, detail];
}

async function predict(model: string, inputs: readonly PredictInput[], digest = digests.get(model)): Promise<Response> {
  const json = { model, version: "1", digest, inputs, topK: 5, logits: false };
  return running.call("/v1/predict", { json });
}

async function predictionsOf(model: string, inputs: readonly PredictInput[]): Promise<PredictAnswer> {
  const response = await predict(model, inputs);
  expect(response.status).toBe(200);
  return (await response.json()) as PredictAnswer;
}

describe("raw tensors at the origin", () => {
  const renamed =
    (prefix: string) =>
    ([name, tensor]: [string, Tensor]) =>
      [`${prefix}_${name}`, tensor] as const;

  test("of every datatype go in and come out as they are, through several inputs and outputs with dynamic axes", async () => {
    const inputs = Object.fromEntries(Object.entries(everyType).map(renamed("in")));
    const outputs = Object.fromEntries(Object.entries(everyType).map(renamed("out")));
    expect(await outputsOf(await ask("echo", inputs))).toEqual(outputs);
  });

  test("carry the state of a stateful model in and out", async () => {
    const one = { datatype: "INT64", shape: [1], data: BigInt64Array.of(1n) } as const;
    let state: Tensor = { datatype: "INT64", shape: [1], data: BigInt64Array.of(40n) };
    for (const expected of [41n, 42n, 43n]) {
      const outputs = await outputsOf(await ask("counter", { step: one, state }));
      expect(outputs.total?.data).toEqual(BigInt64Array.of(expected));
      if (outputs.next_state !== undefined) state = outputs.next_state;
    }
  });

  test("meet weights that lie beside the graph as external data", async () => {
    const x = { datatype: "FP32", shape: [1, 2], data: Float32Array.of(1, 2) } as const;
    expect((await outputsOf(await ask("beside", { x }))).y?.data).toEqual(Float32Array.of(11, 22));
  });

  test("work for a model with steps too, and only the outputs that are asked for come back", async () => {
    const ids = { datatype: "INT64", shape: [1, 2], data: BigInt64Array.of(7n, 9n) } as const;
    const mask = { datatype: "INT64", shape: [1, 2], data: BigInt64Array.of(1n, 1n) } as const;
    const all = await outputsOf(await ask("embedder", { ids, mask }));
    expect(Object.keys(all).sort()).toEqual(["length", "vectors"]);
    const one = await outputsOf(await ask("embedder", { ids, mask }, { outputs: [{ name: "vectors" }] }));
    expect(one).toEqual({ vectors: { datatype: "FP32", shape: [1, 2, 2], data: Float32Array.of(7, 1, 9, 1) } });
  });

  test("may come as JSON", async () => {
    const tensor = (name: string, data: number[]) => ({ name, datatype: "INT64", shape: [1], data });
    const json = { inputs: [tensor("step", [2]), tensor("state", [3])] };
    const outputs = await outputsOf(await running.call(inferPath("counter"), { json }));
    expect(outputs.total?.data).toEqual(BigInt64Array.of(5n));
  });

  const x = { datatype: "FP32", shape: [1, 2], data: Float32Array.of(1, 2) } as const;
  test.each([
    ["an input that is missing", { y: x }, {}, /x is missing/],
    ["an input the graph does not have", { x, z: x }, {}, /no input z/],
    ["another datatype", { x: { ...x, datatype: "INT32", data: Int32Array.of(1, 2) } as const }, {}, /takes FP32/],
    ["another rank", { x: { ...x, shape: [2] } }, {}, /\[-1, 2\]/],
    ["another fixed dimension", { x: { ...x, shape: [2, 1] } }, {}, /\[-1, 2\]/],
    ["an output the graph does not have", { x }, { outputs: [{ name: "q" }] }, /no output q/],
  ])("that do not fit are refused by name: %s", async (_what, inputs: Tensors, head, says) => {
    const [status, code, detail] = await refusalOf(await ask("beside", inputs, head));
    expect([status, code]).toEqual([400, "invalid_shape"]);
    expect(detail).toMatch(says);
  });

  test("of another package than the one meant are refused, not answered", async () => {
    const other = await ask("beside", { x }, { parameters: { digest: "f".repeat(64) } });
    expect((await refusalOf(other)).slice(0, 2)).toEqual([404, "model_not_found"]);
    expect((await running.call("/v2/models/nobody/versions/1/infer", { json: { inputs: [] } })).status).toBe(400);
  });

  test("need the secret, and the path takes POST only", async () => {
    const anonymous = { headers: { authorization: "Bearer wrong-wrong-wrong-wrong" } };
    expect((await running.call(inferPath("echo"), { ...anonymous, json: {} })).status).toBe(401);
    expect((await running.call(inferPath("echo"))).status).toBe(405);
  });

  test("in bytes of any kind are a 4xx, never a 500", async () => {
    const message = encodeInfer({}, "inputs", [{ name: "x", tensor: x, binary: true }]);
    const whole = message.ok ? Buffer.from(message.value.body) : Buffer.alloc(0);
    const length = message.ok ? message.value.headerLength : undefined;
    const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    const lengths = fc.oneof(fc.constant(length), fc.integer({ min: -5, max: 300 }), fc.constant(undefined));
    await fc.assert(
      fc.asyncProperty(edits, lengths, async (changes, headerLength) => {
        const body = Buffer.from(whole);
        for (const [at, byte] of changes) body[at] = byte;
        const { status } = await post("beside", body, headerLength);
        expect(status === 200 || (status >= 400 && status < 500)).toBe(true);
      }),
      { numRuns: 60 },
    );
    const deep = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":${"[".repeat(9000)}${"]".repeat(9000)}}]}`;
    expect((await refusalOf(await post("beside", deep))).slice(0, 2)).toEqual([400, "too_deep"]);
  });
});

describe("inputs through a package's steps at the origin", () => {
  test("a text becomes the mean of its tokens' vectors, alone or beside a longer one", async () => {
    const texts: readonly string[] = ["license", "You may reproduce and distribute copies of the Work, in any medium"];
    const together = await predictionsOf("embedder", texts);
    const alone = await predictionsOf("embedder", texts.slice(0, 1));
    expect(alone.predictions[0]).toEqual(together.predictions[0]);
    expect(together.predictions.map(({ embedding }) => embedding?.[1])).toEqual([1, 1]);
    expect(together.inputTokens).toBeGreaterThan(alone.inputTokens);
    expect(together.timings).toMatchObject({ batchRows: 2, executions: 1 });
  });

  test("a picture becomes its labels, and a broken one is the caller's fault", async () => {
    const red =
      "iVBORw0KGgoAAAANSUhEUgAAAAMAAAADCAIAAADZSiLoAAAAF0lEQVR4nGP8JcLFwMDAwMDAxAADCBYAIAgBHiipD+8AAAAASUVORK5CYII=";
    const { predictions } = await predictionsOf("colours", [{ image: red }]);
    expect(predictions[0]?.top?.map(({ label }) => label)).toEqual(["red", "green"]);
    const [status, code, detail] = await refusalOf(await predict("colours", [{ image: red.slice(0, 40) }]));
    expect([status, code, detail]).toEqual([400, "invalid_shape", "The PNG ends in the middle."]);
  });

  test("a sound becomes the labels that reach the threshold", async () => {
    const { cases }: { readonly cases: readonly { readonly wav: string }[] } = JSON.parse(readGolden("sounds"));
    const { predictions } = await predictionsOf("loudness", [{ audio: cases[0]?.wav ?? "" }]);
    expect(predictions[0]).toMatchObject({ label: "heard", top: [{ label: "heard" }] });
  });

  test.each([
    ["a text", "colours", "red"],
    ["a picture", "embedder", { image: "AAAA" }],
    ["a picture", "loudness", { image: "AAAA" }],
  ])("%s is refused by a model that takes something else (%s)", async (_what, model, input) => {
    expect((await refusalOf(await predict(model, [input]))).slice(0, 2)).toEqual([400, "invalid_shape"]);
  });

  test("a model without steps takes tensors only", async () => {
    expect((await refusalOf(await predict("echo", ["hi"]))).slice(0, 2)).toEqual([400, "unsupported_task"]);
  });

  test("another package of the same name and number does not answer", async () => {
    expect((await predict("embedder", ["hi"], "e".repeat(64))).status).toBe(404);
  });
});

describe("the origin does not start", () => {
  async function failureOf(made: WrittenPackage): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), "ledge-broken-"));
    try {
      await writePackage(dir, "broken", made);
      const { status, stderr } = await new OriginProcess({ ORIGIN_SECRET: secret, PORT: "0", MODELS_DIR: dir }).ended();
      expect(status).not.toBe(0);
      return stderr;
    } finally {
      await rm(dir, { recursive: true });
    }
  }

  test("with a graph that is none, and names the package", async () => {
    expect(await failureOf({ task: "tensor", graph: Buffer.from("no graph") })).toMatch(/broken@1 .*cannot be loaded/);
  });

  test("with a manifest that names a tensor its graph does not have", async () => {
    const { counter } = packages;
    if (counter === undefined) throw new Error("There is no such package.");
    expect(await failureOf({ ...counter, outputs: [value("sum", "INT64", [1])] })).toMatch(
      /differ about the tensor sum/,
    );
  });

  test("with external data from outside its package", async () => {
    const { beside } = packages;
    if (beside === undefined || beside.graph instanceof Uint8Array) throw new Error("There is no such graph.");
    const external = { location: "../../../../../etc/hostname", offset: 0, length: 8 };
    const graph = { ...beside.graph, initializers: [{ ...value("w", "FP32", [2]), external }] };
    expect(await failureOf({ ...beside, graph })).toMatch(/broken@1 .*cannot be loaded/);
  });

  test("with steps that do not fit their graph, and says what does not fit", async () => {
    const { embedder } = packages;
    if (embedder === undefined) throw new Error("There is no such package.");
    const { mask: _mask, ...inputs } = { ids: "ids", mask: "mask" };
    const preprocess = { ...embedder.preprocess, inputs };
    expect(await failureOf({ ...embedder, preprocess })).toMatch(/does not feed the graph's input mask/);
  });
});
