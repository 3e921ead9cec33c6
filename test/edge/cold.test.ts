import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageManifest } from "@ledge/contract";
import { afterEach, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { registerPackage } from "../../scripts/local/packages.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { json, type ScriptedServer, startScripted } from "../origin/scripted-server.ts";
import { bodyOf } from "../support/answer-body.ts";
import { originSecret, startEdge, startFakeOrigin, startOrigin, type TestEdge, until } from "../support/ledge.ts";
import { deskOf } from "../support/registry.ts";

/** Models that are asleep: calls are held while they wake. */

const chat = { model: "tiny-chat", messages: [{ role: "user", content: "hello" }] };

let edge: TestEdge;
let key: string;
let origins: RunningOrigin[] = [];
let server: ScriptedServer | undefined;

afterEach(async () => {
  await edge.close();
  await Promise.all(origins.map((origin) => origin.close()));
  await server?.close();
  [origins, server] = [[], undefined];
});

async function start(origin: RunningOrigin, more: Parameters<typeof startEdge>[0] = {}): Promise<void> {
  origins.push(origin);
  edge = await startEdge({ originUrl: origin.url, ...more });
  key = (await edge.issueKey()).key;
}

/** An edge over a scripted model that takes so long to wake. */
async function startAsleep(script: object, more: Parameters<typeof startEdge>[0] = {}): Promise<void> {
  await start(await startFakeOrigin({ tokens: ["well", " rested"], ...script }), more);
}

function ask(more: object = {}, headers: Record<string, string> = {}): Promise<Response> {
  return edge.post("/v1/chat/completions", key, { ...chat, ...more }, headers);
}

async function wordsOf(answer: Response): Promise<string> {
  return (await bodyOf(answer)).choices[0]?.message.content ?? "";
}

describe("a call whose model is asleep", () => {
  test("is held until it has woken, and answered", async () => {
    await startAsleep({ wakeMs: 1_000 });
    const answer = await ask();
    expect([answer.status, await wordsOf(answer)]).toEqual([200, "well rested"]);
  });

  test.each([
    ["as the engine says it", {}],
    ["shared, to be kept", { temperature: 0 }],
  ])("and who wants a stream, %s, gets comments while it wakes, and then the answer", async (_form, more) => {
    await startAsleep({ wakeMs: 9_000 });
    const answer = await ask({ ...more, stream: true });
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toMatch(/^: waiting\n\n/);
    expect([...text.matchAll(/"content":"([^"]+)"/g)].map(([, piece]) => piece).join("")).toBe("well rested");
    expect(text).toContain("data: [DONE]");
  });

  test("longer than its deadline, is refused in time, with when to come back", async () => {
    await startAsleep({ wakeMs: 20_000 });
    const answer = await ask({}, { "Ledge-Timeout-Ms": "1500" });
    const { error } = await bodyOf(answer);
    // Whichever of the two Workers is faster to see that its time is up.
    expect([
      [503, "model_not_ready"],
      [504, "deadline_exceeded"],
    ]).toContainEqual([answer.status, error.code]);
    if (answer.status === 503) expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(10);
  });

  test("longer than its deadline, and was told of a stream, is told in the stream", async () => {
    await startAsleep({ wakeMs: 20_000 });
    const text = await (await ask({ stream: true }, { "Ledge-Timeout-Ms": "4000" })).text();
    expect(text).toMatch(/"code":"(model_not_ready|deadline_exceeded)"/);
    expect(text).not.toContain("[DONE]");
  });

  test("beyond the bound is refused, with when to come back, and those within it are answered", async () => {
    await startAsleep({ wakeMs: 3_000 }, { dispatch: { HELD_CALLS_MAX: "2" } });
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask()));
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    expect(refused).toHaveLength(4);
    for (const answer of refused) {
      expect((await bodyOf(answer)).error.code).toBe("model_not_ready");
      expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
    }
  });

  test("that does not wake is refused, as all are that waited with it, and the next one wakes it", async () => {
    await startAsleep({ wakeMs: 1_000, wakesInVain: 1 });
    const answers = await Promise.all(Array.from({ length: 3 }, () => ask()));
    for (const answer of answers) {
      expect([answer.status, (await bodyOf(answer)).error.code]).toEqual([503, "model_not_ready"]);
    }
    expect((await ask()).status).toBe(200);
  });
});

test("a model that is named in the place of one that is asleep answers after a short wait, until that one has woken", async () => {
  const fakes = [
    { name: "tiny-chat", wakeMs: 3_000, tokens: ["well", " rested"] },
    { name: "small-chat", tokens: ["small"] },
  ];
  const fallbacks = { "tiny-chat": ["small-chat"] };
  const origin = await startOrigin({ MODELS: "none", FAKE_MODELS: JSON.stringify(fakes) });
  const options = { gateway: { FALLBACKS: JSON.stringify(fallbacks) }, dispatch: { FALLBACK_HOLD_MS: "200" } };
  await start(origin, options);
  const folder = join(repoRoot, "models", "tiny-chat", "1");
  const manifest = packageManifest.parse(JSON.parse(readFileSync(join(folder, "model.json"), "utf8")));
  const files = (manifest.files ?? []).filter(({ path }) => path !== manifest.file.path);
  await registerPackage(deskOf(edge), { ...manifest, name: "small-chat", files }, (path) =>
    readFileSync(join(folder, path)),
  );
  for (const stream of [false, true]) {
    const answer = await ask({ stream });
    await answer.text();
    const said = ["Ledge-Model", "Ledge-Fallback"].map((name) => answer.headers.get(name));
    expect(said).toEqual(["small-chat@1", "for=tiny-chat@1; code=model_not_ready"]);
  }
  await until("it has woken", async () => {
    const answer = await ask();
    await answer.text();
    return answer.headers.get("Ledge-Model") === "tiny-chat@1";
  });
});

test("a hundred calls at once wake an engine once, and are all answered", async () => {
  let awake = false;
  const completion = {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "tiny-chat",
    choices: [{ index: 0, message: { role: "assistant", content: "well rested" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  };
  server = await startScripted(async (got, response) => {
    if (got.path === "/wake") {
      setTimeout(() => (awake = true), 1_000);
      return json(202, {})(got, response);
    }
    if (!awake) return void response.destroy();
    return json(200, completion)(got, response);
  });
  const engines = [
    {
      kind: "openai",
      url: `${server.url}/v1`,
      waitingMax: 1_000,
      wake: { url: `${server.url}/wake`, seconds: 2 },
      models: [{ name: "tiny-chat" }],
    },
  ];
  const origin = await startOrigin({ MODELS: "none", ENGINES: JSON.stringify(engines) });
  const many = "1000";
  await start(origin, {
    gateways: 3,
    gateway: { ORIGIN_IN_FLIGHT_MAX: many },
    dispatch: { HELD_CALLS_MAX: many, ORIGIN_CALLS_MAX: many, MODEL_CALLS_MAX: many },
  });
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const answer = await ask({}, { "Ledge-Timeout-Ms": "50000" });
      return answer.status === 200 ? await wordsOf(answer) : `${answer.status} ${await answer.text()}`;
    }),
  );
  expect(new Set(answers)).toEqual(new Set(["well rested"]));
  expect(server.got.filter(({ path }) => path === "/wake")).toHaveLength(1);
});

test("a real model that was unloaded is loaded by the first call for it, once, and answers all that wait", async () => {
  const behind = await startOrigin({ MODELS: "tiny-chat", ORIGIN_AUTH: "either" });
  origins.push(behind);
  const headers = { Authorization: `Bearer ${originSecret}` };
  const models = `${behind.url}/v2/repository/models/tiny-chat`;
  expect((await fetch(`${models}/unload`, { method: "POST", headers })).status).toBe(200);
  const engines = [
    {
      kind: "openai",
      url: `${behind.url}/v1`,
      keyVariable: "BEHIND_KEY",
      wake: { url: `${models}/load`, seconds: 5 },
      models: [{ name: "tiny-chat" }],
    },
  ];
  const env = { MODELS: "none", ENGINES: JSON.stringify(engines), BEHIND_KEY: originSecret };
  await start(await startOrigin(env));
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask({ max_tokens: 5, temperature: 0 })));
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
  const words = await Promise.all(answers.map(wordsOf));
  expect([new Set(words).size, words[0]]).toEqual([1, expect.stringMatching(/\w/)]);
  expect(behind.logs.filter((line) => line.includes("/load"))).toHaveLength(1);
});
