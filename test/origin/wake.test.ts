import { afterEach, expect, test } from "vitest";
import { asks, type Running, startOrigin } from "./origin-process.ts";
import { json, type Script, type ScriptedServer, startScripted } from "./scripted-server.ts";

/** Engines that are servers scaled down to nothing: what the origin says of them, and how it wakes them. */

let server: ScriptedServer;
let running: Running | undefined;

afterEach(async () => {
  await running?.origin.stop();
  await server.close();
});

const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "served",
  choices: [{ index: 0, message: { role: "assistant", content: "well" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
const answers = json(200, completion);
const gone: Script = (_got, response) => void response.destroy();

/** An origin over a server that does as it is told; `wake` is given the server's address. */
async function start(script: Script, wake: (url: string) => object): Promise<Running> {
  server = await startScripted(script);
  const engine = { kind: "openai", url: `${server.url}/v1`, models: [{ name: "big" }], wake: wake(server.url) };
  running = await startOrigin({ MODELS: "none", ENGINES: JSON.stringify([engine]) });
  return running;
}

async function call({ call: send }: Running) {
  const answer = await send("/v1/chat/completions", { json: asks("big") });
  const { code } = (await answer.json()) as { code?: string };
  return { status: answer.status, code, waking: answer.headers.get("Ledge-Waking") };
}

async function wake({ call: send }: Running): Promise<string> {
  const answer = await send("/v1/models/big@1/wake", { method: "POST" });
  return ((await answer.json()) as { state: string }).state;
}

/** Asks until it is no longer waking. */
async function woken(origin: Running): Promise<string> {
  for (const endMs = Date.now() + 20_000; Date.now() < endMs; ) {
    const state = await wake(origin);
    if (state !== "waking") return state;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it is waking still");
}

const chats = () => server.got.filter(({ path }) => path === "/v1/chat/completions");

test("a server that nobody finds is said to be asleep, is started by its own address, and is awake once it answers", async () => {
  const origin = await start(gone, (url) => ({ url: `${url}/start`, seconds: 30 }));
  expect(await call(origin)).toEqual({ status: 503, code: "model_not_ready", waking: "30000" });
  let started = 0;
  server.script((got, response) => {
    if (got.path !== "/start") return started > 0 ? answers(got, response) : gone(got, response);
    started += 1;
    return json(200, {})(got, response);
  });
  expect(await woken(origin)).toBe("awake");
  expect(started).toBe(1);
  expect((await call(origin)).status).toBe(200);
});

test("a server that its first call wakes gets that one alone, of one token, while callers are told to wait", async () => {
  let wakes = () => {};
  const waked = new Promise<void>((resolve) => {
    wakes = resolve;
  });
  const origin = await start(
    async (got, response) => {
      if (got.path === "/v1/chat/completions") await waked;
      return answers(got, response);
    },
    () => ({ seconds: 30 }),
  );
  expect(await call(origin)).toMatchObject({ status: 503, code: "model_not_ready" });
  expect(await Promise.all(Array.from({ length: 20 }, () => wake(origin)))).toEqual(Array(20).fill("waking"));
  expect(await call(origin)).toMatchObject({ status: 503, code: "model_not_ready" });
  wakes();
  expect(await woken(origin)).toBe("awake");
  expect(chats().map(({ body }) => (body as { max_tokens?: number }).max_tokens)).toEqual([1]);
  expect((await call(origin)).status).toBe(200);
});

test("a server that cannot be started has failed to wake, and the next who asks tries again", async () => {
  const origin = await start(gone, (url) => ({ url: `${url}/start`, seconds: 30 }));
  await call(origin);
  server.script(json(500, {}));
  expect(await woken(origin)).toBe("failed");
  server.script(answers);
  expect(await woken(origin)).toBe("awake");
});

test("a model that never sleeps is awake, and one that is not there is not found", async () => {
  const origin = await start(answers, () => ({ seconds: 30 }));
  expect((await origin.call("/v1/models/none@1/wake", { method: "POST" })).status).toBe(404);
  await origin.origin.stop();
  running = await startOrigin({ MODELS: "none", FAKE_MODELS: JSON.stringify([{ name: "big" }]) });
  expect(await wake(running)).toBe("awake");
});
