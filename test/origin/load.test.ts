import { afterAll, beforeAll, expect, test } from "vitest";
import { LoadWatch } from "../../origin/src/engines/openai/load-watch.ts";
import { OriginProcess, type Running, secret, startOrigin } from "./origin-process.ts";
import { json, type ScriptedServer, startScripted } from "./scripted-server.ts";

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScripted(json(404, {}));
});
afterAll(() => server?.close());

const metrics = (running: number) => (_got: unknown, response: { end(text: string): void }) =>
  response.end(
    `vllm:num_requests_running{engine="0"} ${running}\nvllm:num_requests_waiting{engine="0"} 1\nvllm:kv_cache_usage_perc{engine="0"} 0.5\n`,
  );

test("the origin says how busy every model is, and what its server says of itself where it does", async () => {
  server.script(metrics(3));
  const engines = [{ kind: "openai", url: `${server.url}/v1`, models: [{ name: "big" }] }];
  const env = { MODELS: "none", FAKE_MODELS: '[{"name":"fake"}]', ENGINES: JSON.stringify(engines) };
  const running: Running = await startOrigin(env);
  const answer = await (await running.call("/v1/load")).json();
  const idle = { version: "1", task: "chat", running: 0, waiting: 0 };
  expect(answer).toEqual({
    models: [
      { model: "fake", ...idle },
      {
        model: "big",
        ...idle,
        engine: { running: 3, waiting: 1, kv_cache_use: 0.5, age_ms: expect.any(Number) },
      },
    ],
  });
  expect((await fetch(`${running.url}/v1/load`)).status).toBe(401);
  await running.origin.stop();
});

test("a load is looked at once a second however many ask, and is forgotten after five", async () => {
  let nowMs = 0;
  const watch = new LoadWatch(`${server.url}/metrics`, () => nowMs);
  server.script(metrics(1));
  const all = await Promise.all([watch.load(), watch.load(), watch.load()]);
  expect(all.map((load) => load?.running)).toEqual([1, 1, 1]);
  nowMs = 999;
  expect((await watch.load())?.running).toBe(1);
  expect(server.got).toHaveLength(1);
  server.script(metrics(2));
  nowMs = 1_000;
  expect((await watch.load())?.running).toBe(2);
  server.script(json(500, {}));
  nowMs = 6_000;
  expect((await watch.load())?.running).toBe(2);
  nowMs = 6_001;
  expect(await watch.load()).toBeUndefined();
});

test("a server that says nothing that we know has no load, and costs no more", async () => {
  const watch = new LoadWatch(`${server.url}/metrics`, () => 0);
  server.script(json(404, {}));
  expect(await watch.load()).toBeUndefined();
  expect(await watch.load()).toBeUndefined();
  expect(server.got).toHaveLength(1);
});

test("an engine that refuses the key keeps the origin from starting, and the sentence says what to type", async () => {
  server.script(json(401, {}));
  const engines = [{ kind: "openai", url: `${server.url}/v1`, keyVariable: "BIG_KEY", models: [{ name: "big" }] }];
  const env = { ORIGIN_SECRET: secret, PORT: "0", MODELS: "none", ENGINES: JSON.stringify(engines), BIG_KEY: "wrong" };
  const ended = await new OriginProcess(env).ended();
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain("wants another key (status 401): correct BIG_KEY in ENGINES.");
  expect(ended.stderr).not.toContain("wrong\n");
});

test.each([
  [json(200, { data: [{ id: "org/other" }] }), "does not list 'big' (it lists org/other): correct 'servedName'."],
  [json(404, {}), "/models is no list of models (status 404): most servers want /v1 at the end of 'url'."],
])("what is odd about a server is noted, and the origin starts", async (script, sentence) => {
  server.script(script);
  const engines = [{ kind: "openai", url: `${server.url}/v1`, models: [{ name: "big" }] }];
  const { origin } = await startOrigin({ MODELS: "none", ENGINES: JSON.stringify(engines) });
  expect(origin.log()).toMatchObject([{ level: "warn", note: expect.stringContaining(sentence) }]);
  await origin.stop();
});
