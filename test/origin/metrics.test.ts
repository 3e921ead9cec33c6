import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort } from "../../scripts/local/port.ts";
import { asks, OriginProcess, type Running, secret, startFakes } from "./origin-process.ts";

let running: Running;
let metricsUrl: string;
beforeAll(async () => {
  const port = await freePort(0, "METRICS_PORT");
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  const limits = { CHAT_RUNNING_MAX: "1", CHAT_WAITING_MAX: "4", METRICS_PORT: String(port) };
  running = await startFakes([{ name: "endless", endless: true, tokenMs: 5 }], limits);
});
afterAll(async () => {
  await running.origin.stop();
});

test("Prometheus reads the queue of each model from the metrics' own port, without the secret", async () => {
  const caller = new AbortController();
  const calls = [0, 1, 2].map(() => {
    const json = asks("endless", { max_tokens: 4000 });
    return running.call("/v1/chat/completions", { json, signal: caller.signal });
  });
  const left = Promise.allSettled(calls);
  await vi.waitFor(async () => {
    const response = await fetch(metricsUrl);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const page = await response.text();
    expect(page).toContain('ledge_origin_running{model="endless",version="1"} 1\n');
    expect(page).toContain('ledge_origin_waiting{model="endless",version="1"} 2\n');
  }, 10_000);
  caller.abort();
  await left;
});

test("the metrics' port serves nothing else, and the models' port serves no metrics", async () => {
  const models = metricsUrl.replace("/metrics", "/v1/models");
  expect((await fetch(models, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(404);
  expect((await fetch(metricsUrl, { method: "POST" })).status).toBe(404);
  expect((await fetch(`${running.url}/metrics`)).status).toBe(404);
});

test("a taken port for metrics ends with one sentence that names its variable", async () => {
  const port = new URL(metricsUrl).port;
  const env = { MODELS: "none", FAKE_MODELS: '[{"name":"fake"}]', ORIGIN_SECRET: secret, PORT: "0" };
  const ended = await new OriginProcess({ ...env, METRICS_PORT: port }).ended();
  expect(ended.status).toBe(1);
  expect(ended.stderr).toBe(
    `Port ${port} on 127.0.0.1 is taken: set METRICS_PORT to a free one or stop what listens there.\n`,
  );
});
