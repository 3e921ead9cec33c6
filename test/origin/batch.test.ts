import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  decodeInferAnswer,
  encodeInfer,
  headerLengthHeader,
  modelManifest,
  type PredictAnswer,
  packageDocument,
  type Tensor,
} from "@ledge/contract";
import { signatureText, textToSign } from "@ledge/policy/origins";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../scripts/local/port.ts";
import { until } from "../support/ledge.ts";
import { packages, value } from "./graph-models.ts";
import { writePackage } from "./graph-packages.ts";
import { OriginProcess, type Running, secret, startOrigin } from "./origin-process.ts";

/** Calls that share runs of real models in the real process. */

const shipped = ["intent@1", "intent@2", "embed@1", "embed-static@1", "guard@1"];
const texts = [
  "transfer fifty dollars from checking to savings",
  "what is the weather like in boston tomorrow",
  "play some jazz",
  "i need to cancel my reservation for tonight at the restaurant near the harbour, please, and tell them why",
  "flip a coin",
  "how many calories are in a bagel with cream cheese",
  "book a flight from new york to paris next friday morning and a hotel for three nights",
  "who made you",
];

let shared: Running;
let alone: Running;
let metricsUrl: string;
beforeAll(async () => {
  const port = await freePort(0, "METRICS_PORT");
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  const env = { MODELS: "intent,embed,embed-static,guard", TIMEOUT_MS: "60000" };
  // However slow the machine is, calls that come together find one another.
  const batching = JSON.stringify({ "*": { preferredRows: [texts.length], delayMs: 200 } });
  shared = await startOrigin({ ...env, METRICS_PORT: String(port), BATCHING: batching });
  alone = await startOrigin({ ...env, BATCHING: '{"*":false}' });
});
afterAll(async () => {
  await Promise.all([shared?.origin.stop(), alone?.origin.stop()]);
});

async function digestOf(reference: string): Promise<string> {
  const [name = "", version = ""] = reference.split("@");
  const path = join(import.meta.dirname, "..", "..", "models", name, version, "model.json");
  const manifest = modelManifest.parse(JSON.parse(await readFile(path, "utf8")));
  return createHash("sha256").update(packageDocument(manifest)).digest("hex");
}

async function callOf(reference: string, inputs: readonly string[]) {
  const [model, version] = reference.split("@");
  return { model, version, digest: await digestOf(reference), inputs, topK: 3, logits: true };
}

/** Each text by a call of its own, all at once. */
async function ask({ call }: Running, reference: string): Promise<readonly PredictAnswer[]> {
  const calls = await Promise.all(texts.map((text) => callOf(reference, [text])));
  return Promise.all(
    calls.map(async (json) => {
      const response = await call("/v1/predict", { json });
      expect(response.status).toBe(200);
      return (await response.json()) as PredictAnswer;
    }),
  );
}

const sharedRows = (answers: readonly PredictAnswer[]) => Math.max(...answers.map(({ timings }) => timings.batchRows));

/** The same, again and again until some of them shared a run: on a busy machine calls may come one after the other. */
async function askTogether(reference: string): Promise<readonly PredictAnswer[]> {
  let answers = await ask(shared, reference);
  await until(
    "calls share a run",
    async () => {
      if (sharedRows(answers) === 1) answers = await ask(shared, reference);
      return sharedRows(answers) > 1;
    },
    30_000,
  );
  return answers;
}

const numbersOf = ({ predictions: [first] }: PredictAnswer) => first?.logits ?? first?.embedding ?? [];
const worst = (a: readonly number[], b: readonly number[]) =>
  a.reduce((most, one, at) => Math.max(most, Math.abs(one - (b[at] ?? Number.NaN))), 0);

function inferBody(ids: readonly number[]) {
  const tensor: Tensor = { datatype: "INT32", shape: [1, ids.length], data: Int32Array.from(ids) };
  const message = encodeInfer({}, "inputs", [{ name: "input_ids", tensor, binary: true }]);
  if (!message.ok) throw new Error(message.fault.detail);
  return message.value;
}

async function infer({ call }: Running, ids: readonly number[]) {
  const { body, headerLength } = inferBody(ids);
  const headers = { [headerLengthHeader]: String(headerLength), "content-type": "application/octet-stream" };
  const bytes = new Uint8Array(Buffer.from(body));
  const response = await call("/v2/models/intent/versions/2/infer", { method: "POST", body: bytes, headers });
  if (response.status !== 200) return response.status;
  const length = Number(response.headers.get(headerLengthHeader));
  const answer = decodeInferAnswer(length, new Uint8Array(await response.arrayBuffer()));
  if (!answer.ok) throw new Error(answer.fault.detail);
  return [...((answer.value.logits?.data ?? []) as Float32Array)];
}

describe("answers of calls that share a run", () => {
  test.each(shipped)("equal those of calls that were run alone, to a hundred-thousandth: %s", async (reference) => {
    const apart = await ask(alone, reference);
    const together = await askTogether(reference);
    expect(apart.every(({ timings }) => timings.batchRows === 1)).toBe(true);
    for (const [at, one] of together.entries()) {
      const other = apart[at];
      if (other === undefined) throw new Error("An answer is missing.");
      expect(worst(numbersOf(one), numbersOf(other))).toBeLessThan(1e-5);
      expect(one.predictions[0]?.label).toBe(other.predictions[0]?.label);
      expect(one.inputTokens).toBe(other.inputTokens);
    }
  });

  test("count each run once, for the first of the calls in it", async () => {
    const answers = await ask(shared, "embed@1");
    const executions = answers.reduce((sum, { timings }) => sum + timings.executions, 0);
    const runs = answers.reduce((sum, { timings }) => sum + 1 / timings.batchRows, 0);
    expect(executions).toBeCloseTo(runs);
  });

  test("of raw tensors are each caller's own rows", async () => {
    const calls = texts.map((_, at) => [2, 10 + at, 20 + at, 3]);
    const apart = await Promise.all(calls.map((ids) => infer(alone, ids)));
    const together = await Promise.all(calls.map((ids) => infer(shared, ids)));
    for (const [at, logits] of together.entries()) {
      expect(worst(logits as number[], apart[at] as number[])).toBeLessThan(1e-5);
    }
  });

  test("of a call of many texts are in the order of the texts", async () => {
    const many = Array.from({ length: 64 }, (_, at) => texts[at % texts.length] ?? "");
    const response = await shared.call("/v1/predict", { json: await callOf("intent@2", many) });
    const { predictions } = (await response.json()) as PredictAnswer;
    const apart = await ask(alone, "intent@2");
    expect(predictions.map(({ label }) => label)).toEqual(
      many.map((_, at) => apart[at % texts.length]?.predictions[0]?.label),
    );
  });
});

test("a call that the graph itself cannot run fails alone: those beside it are answered", async () => {
  const beyond = [2, 30_000_000, 5, 3];
  const calls = [[2, 7, 8, 3], beyond, [2, 9, 10, 3], [2, 11, 12, 3]];
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(calls.map((ids) => infer(shared, ids)));
    expect(answers[1]).toBe(502);
    expect(answers.filter((answer) => Array.isArray(answer))).toHaveLength(3);
  }
});

test("what is wrong with an input is found before it waits, and its mates do not hear of it", async () => {
  const call = await callOf("intent@2", ["play some jazz"]);
  const broken = { ...call, inputs: [{ image: "AAAA" }] };
  const answers = await Promise.all([call, broken, call].map((json) => shared.call("/v1/predict", { json })));
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 200]);
});

describe("what is told of shared runs", () => {
  test("Prometheus gets histograms of rows and of the time waited, whose counts are those of the calls", async () => {
    const count = async (name: string) => {
      const page = await (await fetch(metricsUrl)).text();
      return Number(new RegExp(`^${name}{model="embed",version="1"} (.*)$`, "m").exec(page)?.[1]);
    };
    const [rows, calls] = [await count("ledge_origin_batch_rows_sum"), await count("ledge_origin_queue_seconds_count")];
    await ask(shared, "embed@1");
    expect(await count("ledge_origin_batch_rows_sum")).toBe(rows + texts.length);
    expect(await count("ledge_origin_queue_seconds_count")).toBe(calls + texts.length);
    const page = await (await fetch(metricsUrl)).text();
    expect(page).toContain('ledge_origin_batch_rows_bucket{model="embed",version="1",le="+Inf"}');
    expect(page).toContain('ledge_origin_refused_total{model="embed",version="1",reason="full"} 0');
  });

  test("the load says the same, and nothing of models whose calls run alone", async () => {
    await ask(shared, "embed@1");
    type Load = {
      models: { model: string; batching?: { batch_rows: object; queue_seconds: object; refused: object } }[];
    };
    const [here, there] = await Promise.all(
      [shared, alone].map(async ({ call }) => (await (await call("/v1/load")).json()) as Load),
    );
    const embed = here?.models.find(({ model }) => model === "embed");
    expect(Object.values(embed?.batching?.batch_rows ?? {}).reduce((a, b) => a + b, 0)).toBeGreaterThan(0);
    expect(Object.keys(embed?.batching?.queue_seconds ?? {}).length).toBeGreaterThan(0);
    expect(embed?.batching?.refused).toEqual({ full: 0, late: expect.any(Number) });
    expect(there?.models.every(({ batching }) => batching === undefined)).toBe(true);
  });
});

describe("a full line", () => {
  test("refuses with 503 and a time to come back, and answers who was let in", async () => {
    const running = await startOrigin({ MODELS: "intent", BATCHING: '{"intent":{"waitingMax":2,"rowsMax":1}}' });
    try {
      const json = await callOf("intent@2", [texts.join(" ")]);
      const answers = await Promise.all(Array.from({ length: 40 }, () => running.call("/v1/predict", { json })));
      const refused = answers.filter(({ status }) => status === 503);
      expect(answers.filter(({ status }) => status === 200).length).toBe(40 - refused.length);
      expect(refused.length).toBeGreaterThan(0);
      for (const { headers } of refused) expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    } finally {
      await running.origin.stop();
    }
  });
});

describe("the priority of a call", () => {
  async function signed(priority: string, sent = priority): Promise<number> {
    const path = "/v1/predict";
    const body = JSON.stringify(await callOf("intent@1", ["play some jazz"]));
    const nonce = randomBytes(16).toString("hex");
    const bodySha256 = createHash("sha256").update(body).digest("hex");
    const named = new Headers({ "content-type": "application/json", "ledge-priority": priority });
    const header = (name: string) => named.get(name);
    const request = { method: "POST", path, bodySha256, atMs: Date.now(), nonce, header };
    const mac = createHmac("sha256", secret).update(textToSign(request)).digest("hex");
    named.set("ledge-signature", signatureText({ ...request, mac }));
    named.set("ledge-priority", sent);
    return (await fetch(shared.url + path, { method: "POST", headers: named, body })).status;
  }

  test("is signed with the request: one that was changed on the way is refused", async () => {
    expect(await signed("high")).toBe(200);
    expect(await signed("low", "high")).toBe(401);
  });

  test("is one of three words, whoever says it", async () => {
    expect(await signed("urgent")).toBe(400);
    const json = await callOf("intent@1", ["play some jazz"]);
    expect((await shared.call("/v1/predict", { json, headers: { "ledge-priority": "low" } })).status).toBe(200);
  });
});

describe("the setting", () => {
  test("that names a model which is not served keeps the origin from starting, and says what to type", async () => {
    const env = { ORIGIN_SECRET: secret, PORT: "0", MODELS: "intent", BATCHING: '{"intend":false}' };
    const ended = await new OriginProcess(env).ended();
    expect(ended.status).toBe(1);
    expect(ended.stderr).toBe("BATCHING names 'intend', which is not served here: correct the name or drop it.\n");
  });

  test("does not make a graph with a fixed batch share runs: it answers as before, and the log says so", async () => {
    const dir = await mkdtemp(join(tmpdir(), "ledge-batch-"));
    const graph = {
      inputs: [value("x", "FP32", [1, 2])],
      outputs: [value("y", "FP32", [1, 2])],
      nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
    } as const;
    await writePackage(dir, "fixed", { task: "tensor", graph });
    const { beside } = packages;
    if (beside !== undefined) await writePackage(dir, "open", beside);
    const { origin, call } = await startOrigin({ MODELS_DIR: dir, BATCHING: '{"fixed":true}' });
    try {
      const input = (data: number[]) => ({ name: "x", datatype: "FP32", shape: [1, 2], data });
      const answers = await Promise.all(
        [1, 2, 3, 4].map((at) => call("/v2/models/fixed/versions/1/infer", { json: { inputs: [input([at, 0])] } })),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      const { models } = (await (await call("/v1/load")).json()) as { models: { model: string; batching?: object }[] };
      expect(models.map(({ model, batching }) => [model, batching !== undefined])).toEqual([
        ["fixed", false],
        ["open", true],
      ]);
      expect(origin.stderr).toContain("BATCHING names fixed, whose graph has no open batch axis");
    } finally {
      await origin.stop();
      await rm(dir, { recursive: true });
    }
  });
});
