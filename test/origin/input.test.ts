import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/ledge.ts";
import { asks, type Running, secret, startFakes } from "./origin-process.ts";

let running: Running;
beforeAll(async () => {
  running = await startFakes([{ name: "fake", contextTokens: 64 }], {
    BODY_BYTES_MAX: "4096",
    CHAT_WAITING_MAX: "1000",
  });
});
afterAll(async () => {
  await running.origin.stop();
});

const chat = (init: Parameters<Running["call"]>[1]) => running.call("/v1/chat/completions", init);

async function refusal(response: Response): Promise<[number, unknown]> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await response.json()) as { code: unknown; request_id: unknown };
  expect(problem.request_id).toBe(response.headers.get("ledge-request-id"));
  return [response.status, problem.code];
}

test.each([
  ["broken JSON", '{"model":', 400, "invalid_json"],
  ["an empty body", "", 400, "invalid_json"],
  ["bytes that are not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), 400, "invalid_utf8"],
  ["a nest of arrays", "[".repeat(1000), 400, "too_deep"],
  ["a body over the bound", `"${"a".repeat(5000)}"`, 413, "body_too_large"],
  ["no object", "7", 400, "invalid_request"],
  ["no messages", '{"model":"fake"}', 400, "invalid_request"],
  ["a model that is not there", JSON.stringify(asks("ghost")), 404, "model_not_found"],
  ["a version that is not there", JSON.stringify(asks("fake@2")), 404, "model_not_found"],
])("%s is refused with its own code", async (_what, body, status, code) => {
  expect(await refusal(await chat({ method: "POST", body }))).toEqual([status, code]);
});

test("another media type is refused", async () => {
  const headers = { "content-type": "text/plain" };
  expect(await refusal(await chat({ method: "POST", body: "{}", headers }))).toEqual([415, "unsupported_media_type"]);
});

test.each([
  ["n", 2],
  ["tools", [{ type: "function", function: { name: "f" } }]],
  ["logprobs", true],
  ["response_format", { type: "json_object" }],
  ["logit_bias", { "50": -100 }],
  ["frequency_penalty", 0.5],
  ["presence_penalty", -1],
  ["top_k", 5],
])("the parameter %s is refused by name, not ignored", async (name, value) => {
  const response = await chat({ json: asks("fake", { [name]: value }) });
  const problem = (await response.json()) as { code: string; issues: { path: string }[] };
  expect([response.status, problem.code, problem.issues[0]?.path]).toEqual([400, "unsupported_parameter", name]);
});

test("parameters at the values that change nothing are taken", async () => {
  const neutral = {
    n: 1,
    tools: [],
    logprobs: false,
    frequency_penalty: 0,
    response_format: { type: "text" },
    user: "u",
  };
  expect((await chat({ json: asks("fake", { ...neutral, seed: null, stop: null }) })).status).toBe(200);
});

test("a prompt and an allowed output beyond the context are refused, and the cap fits without a limit", async () => {
  const long = { messages: [{ role: "user", content: "word ".repeat(60) }] };
  expect((await chat({ json: asks("fake", long) })).status).toBe(200);
  const response = await chat({ json: asks("fake", { ...long, max_tokens: 10 }) });
  expect(await refusal(response)).toEqual([400, "context_length_exceeded"]);
});

test("who has no key or a wrong one is told apart, and health needs none", async () => {
  const without = await fetch(`${running.url}/v1/models`);
  expect([...(await refusal(without)), without.headers.get("www-authenticate")]).toEqual([
    401,
    "missing_credentials",
    "Bearer",
  ]);
  const wrong = await running.call("/v1/models", { headers: { authorization: `Bearer ${secret}x` } });
  expect(await refusal(wrong)).toEqual([401, "invalid_credentials"]);
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
});

test("an unknown path, a wrong method and a wrong timeout have their codes", async () => {
  expect(await refusal(await running.call("/v1/nothing"))).toEqual([404, "not_found"]);
  expect(await refusal(await running.call("/v1/chat/completions"))).toEqual([405, "method_not_allowed"]);
  const headers = { "ledge-timeout-ms": "soon" };
  expect(await refusal(await chat({ json: asks("fake"), headers }))).toEqual([400, "invalid_header"]);
});

test("a chat model does not predict", async () => {
  const json = { model: "fake", version: "1", digest: "0".repeat(64), inputs: ["hi"], topK: 1, logits: false };
  expect(await refusal(await running.call("/v1/predict", { json }))).toEqual([400, "unsupported_task"]);
});

test("the gateway's request id is kept, one that could break a log line is replaced", async () => {
  const headers = { "ledge-request-id": "req_01.a:b-c" };
  expect((await running.call("/v1/models", { headers })).headers.get("ledge-request-id")).toBe("req_01.a:b-c");
  const odd = await running.call("/v1/models", { headers: { "ledge-request-id": 'x"}{' } });
  expect(odd.headers.get("ledge-request-id")).toMatch(/^[0-9a-f]{32}$/);
});

test("nothing a caller sends makes a 500", async () => {
  const key = fc.constantFrom(
    "model",
    "messages",
    "stream",
    "temperature",
    "stop",
    "role",
    "content",
    "__proto__",
    "n",
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: "small" }, fc.constantFrom("fake", "user"), fc.jsonValue(), tie("object")),
    object: fc.dictionary(key, tie("any"), { maxKeys: 6 }),
  }));
  const messages = fc.array(fc.record({ role: fc.constantFrom("user", "system", "tool"), content: fc.jsonValue() }));
  const near = fc.record({ model: fc.constant("fake"), messages, extra: fc.jsonValue() }, { requiredKeys: ["model"] });
  const raw = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string().map((text) => new TextEncoder().encode(text)),
  );
  const body = fc.oneof(
    raw.map((bytes) => new Uint8Array(bytes)),
    fc.oneof(value.any, near).map((each) => new TextEncoder().encode(JSON.stringify(each))),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom("/v1/chat/completions", "/v1/predict"), async (bytes, path) => {
      const response = await running.call(path, { method: "POST", body: bytes });
      await response.arrayBuffer();
      expect(response.status).toBeLessThan(500);
    }),
    { numRuns: 300 },
  );
});

test("the log has one line for each request and holds neither prompts nor secrets", async () => {
  const headers = { "ledge-request-id": "find-me" };
  const messages = [{ role: "user", content: "my very private prompt" }];
  await (await chat({ json: asks("fake", { messages }), headers })).json();
  const lines = () => running.origin.log().filter((line) => line.requestId === "find-me");
  await until("the line is written", () => lines().length > 0);
  expect(lines()).toEqual([expect.objectContaining({ status: 200, path: "/v1/chat/completions", model: "fake@1" })]);
  expect(running.origin.stderr).not.toContain("private prompt");
  expect(running.origin.stderr).not.toContain(secret);
});
