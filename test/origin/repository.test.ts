import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OipEngine } from "../../origin/src/engines/oip/oip-engine.ts";
import { RestTransport } from "../../origin/src/engines/oip/rest-transport.ts";
import { infer, pairOf } from "./infer-conformance.ts";
import { type Running, secret, startOrigin } from "./origin-process.ts";
import { writeTensorPackages } from "./tensor-packages.ts";

/** Packages are loaded and unloaded while the origin runs. */

let dir: string;
let running: Running;
let pair: OipEngine;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "repository-models-"));
  await writeTensorPackages(dir);
  running = await startOrigin({ MODELS_DIR: dir, FAKE_MODELS: '[{"name":"fake"}]' });
  const transport = new RestTransport({ url: running.url, key: secret, answerBytesMax: 1_000_000 }, true);
  const model = { name: "pair", version: "1", task: "tensor" } as const;
  pair = new OipEngine(model, transport, { name: "pair", version: "1" });
});
afterAll(async () => {
  await running?.origin.stop();
  await rm(dir, { recursive: true });
});

const change = (model: string, what: string, init: RequestInit = {}) =>
  running.call(`/v2/repository/models/${model}/${what}`, { method: "POST", ...init });
const never = new AbortController().signal;

test("an unloaded model answers no call and is not ready; loaded again it answers", async () => {
  const before = await infer(pair, pairOf(1));
  expect((await change("pair", "unload")).status).toBe(200);
  expect(await pair.infer(pairOf(1), undefined, never)).toMatchObject({ ok: false, fault: { code: "overloaded" } });
  const refused = await running.call("/v2/models/pair/versions/1/infer", { method: "POST", body: "{}" });
  expect(refused.status).toBe(400);
  expect((await change("pair", "load")).status).toBe(200);
  expect(await infer(pair, pairOf(1))).toEqual(before);
});

test("a load under calls loses none of them", async () => {
  let loads = true;
  const calls = async () => {
    let answered = 0;
    while (loads) {
      await infer(pair, pairOf(answered));
      answered += 1;
    }
    return answered;
  };
  const callers = [calls(), calls()];
  for (let turn = 0; turn < 3; turn++) expect((await change("pair", "load")).status).toBe(200);
  loads = false;
  for (const answered of await Promise.all(callers)) expect(answered).toBeGreaterThan(0);
});

test("what is no package here cannot be unloaded, and only the gateway may", async () => {
  expect(await (await change("nowhere", "unload")).json()).toMatchObject({ code: "model_not_found" });
  expect(await (await change("fake", "unload")).json()).toMatchObject({ code: "model_not_found" });
  expect((await change("pair", "unload", { headers: { authorization: "Bearer other" } })).status).toBe(401);
  expect(Object.keys(await infer(pair, pairOf(1)))).toHaveLength(2);
});
