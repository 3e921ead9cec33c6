import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type JournalEntry, headers as names, ok, type Payer, type PredictAnswer, payerText } from "@ledge/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Gate } from "./admit/gate.ts";
import { createApp } from "./app.ts";
import type { Engine } from "./engines/engine.ts";
import { FakeEngine } from "./engines/fake/fake-engine.ts";
import { Registry } from "./engines/registry.ts";
import type { Journal } from "./observe/journal.ts";
import type { RequestLine } from "./observe/log.ts";

const limits = { runningMax: 1, waitingMax: 0 };
const answer: PredictAnswer = {
  predictions: [],
  inputTokens: 3,
  timings: { queueMs: 0, prepareMs: 0, runMs: 2, shapeMs: 0, batchRows: 1, executions: 1 },
};

let registry: Registry;
let lines: RequestLine[];
let server: Server;
let written: JournalEntry[];
let isDiskFull: boolean;

beforeEach(async () => {
  registry = new Registry();
  lines = [];
  written = [];
  isDiskFull = false;
  const write = (entry: JournalEntry) => {
    if (isDiskFull) throw new Error("no space left");
    written.push(entry);
  };
  const journal = { write } as unknown as Journal;
  const config = { secret: "s".repeat(16), bearer: true, bodyBytesMax: 1000, timeoutMs: 1000, timeoutMsMax: 1000 };
  const shutdown = new AbortController().signal;
  const sink = (line: RequestLine) => void lines.push(line);
  server = createServer(
    createApp({ config, registry, shutdown, journal, nowMs: () => 1_700_000_000_000, newId: () => "id", sink }),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

function request(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init);
}

function seat(engine: Engine): Gate {
  const gate = new Gate(limits, () => 0);
  registry.add({ engine, gate });
  return gate;
}

function classifier(predict: Engine["predict"]): Engine {
  const model = { name: "intent", version: "1", task: "text-classification", digest: call.digest } as const;
  return { model, ...(predict === undefined ? {} : { predict }), close: async () => {} };
}

function post(path: string, body: unknown) {
  const headers = { authorization: `Bearer ${"s".repeat(16)}`, "content-type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body) });
}

const call = { model: "intent", version: "1", digest: "0".repeat(64), inputs: ["hi"], topK: 1, logits: false };

test("readiness is refused while a model loads, and says which", async () => {
  registry.expect("intent", "1");
  seat(
    new FakeEngine({
      name: "fake",
      version: "1",
      tokens: ["a"],
      endless: false,
      firstMs: 0,
      tokenMs: 0,
      contextTokens: 9,
    }),
  );
  const loading = await request("/readyz");
  expect([loading.status, await loading.json()]).toEqual([503, { status: "loading", pending: ["intent@1"] }]);
  const early = await post("/v1/predict", call);
  expect([early.status, early.headers.get("retry-after")]).toEqual([503, "1"]);
  seat(classifier(async () => ok(answer)));
  expect((await request("/readyz")).status).toBe(200);
});

test("an engine that throws is a 500 that says nothing of it, and the log says all", async () => {
  const gate = seat(
    classifier(() => {
      throw new Error("/secret/path exploded");
    }),
  );
  const response = await post("/v1/predict", call);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("exploded");
  expect(lines).toMatchObject([{ level: "error", status: 500, code: "internal_error" }]);
  expect(lines[0]?.cause).toContain("exploded");
  expect(gate.running).toBe(0);
});

test("the cause of a fault is logged and never sent", async () => {
  seat(classifier(async () => ({ ok: false, fault: { code: "upstream_failed", cause: "node 7 is on fire" } })));
  const response = await post("/v1/predict", call);
  expect(response.status).toBe(502);
  expect(await response.text()).not.toContain("fire");
  expect(lines[0]?.cause).toBe("node 7 is on fire");
});

test("an engine that never answers is left at the deadline, and its slot is free", async () => {
  const gate = seat(classifier(() => new Promise(() => {})));
  const headers = {
    authorization: `Bearer ${"s".repeat(16)}`,
    "content-type": "application/json",
    "ledge-timeout-ms": "5",
  };
  const response = await request("/v1/predict", { method: "POST", headers, body: JSON.stringify(call) });
  expect([response.status, gate.running]).toEqual([504, 0]);
});

test("one request writes one line, with the time it waited and what it read", async () => {
  seat(classifier(async () => ok(answer)));
  await post("/v1/predict", call);
  expect(lines).toEqual([
    {
      at: "2023-11-14T22:13:20.000Z",
      level: "info",
      requestId: "id",
      method: "POST",
      path: "/v1/predict",
      status: 200,
      ms: 0,
      model: "intent@1",
      queueMs: 0,
      promptTokens: 3,
    },
  ]);
});

test("a stream that cannot be written down is cut before its end, its line says so, and the origin lives on", async () => {
  const script = {
    name: "fake",
    version: "1",
    tokens: ["a"],
    endless: false,
    firstMs: 0,
    tokenMs: 0,
    contextTokens: 99,
  };
  seat(new FakeEngine(script));
  const headers = {
    authorization: `Bearer ${"s".repeat(16)}`,
    "content-type": "application/json",
    [names.payer]: payerText({ call: "c", tenant: "t" } as Payer),
  };
  const body = JSON.stringify({ model: "fake", messages: [{ role: "user", content: "hi" }], stream: true });
  const ask = () => request("/v1/chat/completions", { method: "POST", headers, body });
  isDiskFull = true;
  await expect(ask().then((answer) => answer.text())).rejects.toThrow();
  expect(lines).toMatchObject([{ level: "error", code: "internal_error", cause: "Error: no space left" }]);
  isDiskFull = false;
  expect(await (await ask()).text()).toContain("[DONE]");
  expect(written).toHaveLength(1);
});
