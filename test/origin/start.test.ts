import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { asks, collect, eventsOf, OriginProcess, secret, startFakes } from "./origin-process.ts";

const fakes = { MODELS: "none", FAKE_MODELS: '[{"name":"fake"}]' };

test("without ORIGIN_SECRET the origin refuses to start and says what to set", async () => {
  const ended = await new OriginProcess({ ...fakes, PORT: "0" }).ended();
  expect(ended.status).toBe(1);
  expect(ended.stderr).toBe("ORIGIN_SECRET is not set: set it to the secret that the edge signs its requests with.\n");
  expect(ended.stdout).toBe("");
});

test("every fault of the configuration is told at once", async () => {
  const ended = await new OriginProcess({ PORT: "http", BODY_BYTES_MAX: "many", FAKE_MODELS: "[{}]" }).ended();
  expect(ended.status).toBe(1);
  for (const name of ["ORIGIN_SECRET", "PORT", "BODY_BYTES_MAX", "FAKE_MODELS"]) expect(ended.stderr).toContain(name);
});

test("a taken port ends with one sentence", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" ? String(address?.port) : "";
  const ended = await new OriginProcess({ ...fakes, ORIGIN_SECRET: secret, PORT: port }).ended();
  other.close();
  expect(ended.status).toBe(1);
  expect(ended.stderr).toBe(`Port ${port} on 127.0.0.1 is taken: set PORT to a free one or stop what listens there.\n`);
});

test("a folder of models that is not there ends with one sentence that names it", async () => {
  const ended = await new OriginProcess({ ORIGIN_SECRET: secret, PORT: "0", MODELS_DIR: "/nowhere/models" }).ended();
  expect(ended.status).toBe(1);
  expect(ended.stderr).toBe(
    "The folder /nowhere/models cannot be read: set MODELS_DIR to the folder that holds the model packages.\n",
  );
});

test("an origin without any model refuses to start", async () => {
  const empty = await mkdtemp(join(tmpdir(), "origin-empty-"));
  const ended = await new OriginProcess({ ORIGIN_SECRET: secret, PORT: "0", MODELS_DIR: empty }).ended();
  await rm(empty, { recursive: true });
  expect([ended.status, ended.stderr.split("\n").length]).toEqual([1, 2]);
  expect(ended.stderr).toContain("set MODELS or FAKE_MODELS");
});

test("--help names the variables and a wrong argument is refused", async () => {
  const help = await new OriginProcess({}, ["--help"]).ended();
  expect([help.status, help.stderr]).toEqual([0, ""]);
  expect(help.stdout).toContain("ORIGIN_SECRET");
  expect((await new OriginProcess({}, ["--port"]).ended()).status).toBe(2);
});

test("the ready line is one line of JSON and names where the origin listens", async () => {
  const { origin, url } = await startFakes([{ name: "fake" }]);
  expect(JSON.parse(origin.stdout)).toEqual({ ready: true, url });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await origin.stop()).status).toBe(0);
});

test("a stream that runs when SIGTERM comes is finished before the origin exits 0", async () => {
  const fake = { name: "slow", tokens: ["a", "b", "c", "d"], tokenMs: 40 };
  const { origin, call } = await startFakes([fake], { DRAIN_MS: "5000" });
  const response = await call("/v1/chat/completions", { json: asks("slow", { stream: true }) });
  origin.child.kill("SIGTERM");
  const events = await collect(eventsOf(response));
  expect(events.at(-1)).toBe("[DONE]");
  expect((await origin.ended()).status).toBe(0);
});

test("a stream that outlasts the drain ends with an error event, and the origin still exits 0", async () => {
  const { origin, call } = await startFakes([{ name: "endless", endless: true, tokenMs: 5 }], { DRAIN_MS: "50" });
  const response = await call("/v1/chat/completions", { json: asks("endless", { stream: true, max_tokens: 4000 }) });
  origin.child.kill("SIGTERM");
  const events = await collect(eventsOf(response));
  expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ error: { code: "origin_unavailable" } });
  expect((await origin.ended()).status).toBe(0);
});

test("a draining origin takes no new connection", async () => {
  const { origin, url, call } = await startFakes([{ name: "endless", endless: true, tokenMs: 5 }], { DRAIN_MS: "500" });
  const running = await call("/v1/chat/completions", { json: asks("endless", { stream: true, max_tokens: 4000 }) });
  origin.child.kill("SIGTERM");
  await vi.waitFor(() => expect(fetch(`${url}/healthz`, { headers: { connection: "close" } })).rejects.toThrow(), 400);
  await running.body?.cancel();
  await origin.ended();
});
