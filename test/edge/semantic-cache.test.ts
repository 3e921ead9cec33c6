import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";
import { likeInference, registerLikeModels } from "../support/like-prompts.ts";
import { admin } from "../support/registry.ts";

/** Answers to prompts that mean the same, with scripted models; zoo.test.ts asks the real ones. */

let origin: RunningOrigin;
let edge: TestEdge;
let key: string;

beforeAll(async () => {
  origin = await startFakeOrigin({ tokens: ["an", " answer"] });
  edge = await startEdge({ originUrl: origin.url, standIns: { inference: likeInference } });
  key = (await edge.issueKey()).key;
  await registerLikeModels(edge);
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

interface Asked {
  readonly key?: string;
  readonly semantic?: "on" | "off";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

async function ask(prompt: string, { key: as = key, semantic = "on", headers = {}, body = {} }: Asked = {}) {
  const messages = [{ role: "user", content: prompt }];
  const answer = await edge.post(
    "/v1/chat/completions",
    as,
    { model: "tiny-chat", temperature: 0, messages, ...body },
    { "Ledge-Cache-Semantic": semantic, ...headers },
  );
  const status = answer.headers.get("cache-status") ?? "";
  return { code: answer.status, status, id: /key="([0-9a-f]{32})"/.exec(status)?.[1], text: await answer.text() };
}

/** Asks until the prompt's answer is kept and can be found by its meaning: both happen behind the answer. */
async function keep(prompt: string, like: string, asked: Asked = {}) {
  const first = await ask(prompt, asked);
  expect(first.status).toContain("stored");
  let last = first;
  await until(`'${like}' is answered like '${prompt}'`, async () => {
    last = await ask(like, { ...asked, headers: { ...asked.headers, "Cache-Control": "max-age=3600" } });
    return last.status.includes("semantic");
  });
  return { first, last };
}

describe("a prompt that means the same", () => {
  test("is answered by the other's answer, and Cache-Status says similarity, probability and whose it was", async () => {
    const { first } = await keep("how do bees make honey", "so how do the bees make honey");
    const hit = await ask("and how do bees make honey then");
    expect(hit.status).toMatch(
      new RegExp(
        `^Ledge; hit; ttl=\\d+; key="[0-9a-f]{32}"; detail="semantic; similarity=0\\.\\d{3}; probability=0\\.999; id=${first.id}"$`,
      ),
    );
    expect(hit.id).not.toBe(first.id);
    expect(JSON.parse(hit.text).choices[0].message.content).toBe("an answer");
  });

  test("comes as a stream to who asks for one", async () => {
    await keep("why do cats purr softly", "so why do cats purr softly");
    const hit = await ask("and why do cats purr softly", { body: { stream: true } });
    expect(hit.status).toContain("semantic");
    expect(hit.text).toMatch(/^data: .*\[DONE\]\s*$/s);
  });
});

describe("nothing is answered by its meaning", () => {
  const kept = "where do swallows sleep in winter";
  beforeAll(async () => {
    await keep(kept, "so where do swallows sleep in winter");
  });
  const near = (words: string) => `${words} where do swallows sleep in winter`;

  test("unless model, tenant or call turn it on", async () => {
    expect((await ask(near("and one"), { semantic: "off" })).status).toContain("fwd=miss");
    const messages = [{ role: "user", content: near("and two") }];
    const silent = await edge.post("/v1/chat/completions", key, { model: "tiny-chat", temperature: 0, messages });
    expect(silent.headers.get("cache-status")).toContain("fwd=miss");
    await silent.text();
  });

  test("when a word says otherwise, however near it lies and however sure the verifier is", async () => {
    expect((await ask("where do swallows sleep in summer")).status).toContain("fwd=miss");
    expect((await ask("where do swallows not sleep in winter")).status).toContain("fwd=miss");
  });

  test("when the verifier is not sure", async () => {
    expect((await ask(near("maybe"))).status).toContain("fwd=miss");
  });

  test("for another tenant", async () => {
    const other = (await edge.issueKey({ tenant: "globex" })).key;
    expect((await ask(near("and"), { key: other })).status).toContain("fwd=miss");
  });

  test.each([
    [
      "another system prompt",
      {
        messages: [
          { role: "system", content: "be brief" },
          { role: "user", content: near("and") },
        ],
      },
    ],
    [
      "earlier turns",
      {
        messages: [
          { role: "user", content: "hi" },
          { role: "assistant", content: "hello" },
          { role: "user", content: near("and") },
        ],
      },
    ],
    ["another parameter", { max_tokens: 7 }],
    ["tools", { tools: [{ type: "function", function: { name: "look", parameters: {} } }] }],
  ])("in another context: %s", async (_what, body) => {
    expect((await ask(near("and"), { body })).status).not.toContain("semantic");
  });

  test("in another partition of the cache", async () => {
    expect((await ask(near("and"), { headers: { "Ledge-Cache-Key": "mine" } })).status).toContain("fwd=miss");
  });

  test("when its caller wants a fresh answer, or none kept", async () => {
    expect((await ask(near("oh"), { headers: { "Cache-Control": "no-cache" } })).status).toContain("fwd=request");
    expect((await ask(near("oh well"), { headers: { "Cache-Control": "no-store" } })).status).toContain("fwd=bypass");
  });

  test("when the embedder fails: then it is a miss like any other", async () => {
    const miss = await ask("embedder down where do swallows sleep");
    expect([miss.code, miss.status]).toEqual([200, expect.stringContaining("fwd=miss; stored")]);
  });
});

test("a policy turns it on for a model's callers without a word of theirs, and its threshold holds", async () => {
  const prompt = "what colour is the evening sky";
  await keep(prompt, `so ${prompt}`);
  const path = "/models/tiny-chat/cache";
  expect((await admin(edge, "PUT", path, { semantic: { enabled: true } })).status).toBe(200);
  const silently = async (words: string) => {
    const messages = [{ role: "user", content: `${words} ${prompt}` }];
    const answer = await edge.post("/v1/chat/completions", key, { model: "tiny-chat", temperature: 0, messages });
    await answer.text();
    return answer.headers.get("cache-status");
  };
  await until("the policy is known", async () => (await silently("and"))?.includes("semantic") === true);
  await admin(edge, "PUT", path, { semantic: { enabled: true, probability_min: 1 } });
  await until("the threshold is known", async () => (await silently("well"))?.includes("fwd=miss") === true);
  await admin(edge, "DELETE", path);
});

test("a hit that is reported wrong is not given again, its answer is gone, and the report is counted", async () => {
  const prompt = "how tall can a giraffe grow";
  const { first } = await keep(prompt, `so ${prompt}`);
  const report = await edge.post("/v1/cache/feedback", key, { id: first.id, model: "tiny-chat@1" });
  expect([report.status, await report.json()]).toEqual([202, { removed: true }]);
  expect((await ask(`and ${prompt}`, { headers: { "Ledge-Cache-Key": "" } })).code).toBe(400);
  expect((await ask(prompt)).status).toContain("fwd=miss");
  await until("the report is counted", async () => {
    const metrics = await edge.get("/metrics", "an-operator's-key-for-tests");
    return (await metrics.text()).includes(
      'ledge_cache_events_total{model="tiny-chat",version="1",event="feedback-wrong"} 1',
    );
  });
});

test("another tenant's report of the same id removes nothing", async () => {
  const prompt = "which mushrooms glow at night";
  const { first } = await keep(prompt, `so ${prompt}`);
  const other = (await edge.issueKey({ tenant: "globex" })).key;
  expect((await edge.post("/v1/cache/feedback", other, { id: first.id })).status).toBe(202);
  expect((await ask(`and ${prompt}`)).status).toContain(`id=${first.id}`);
});

test("a malformed report is refused and changes nothing", async () => {
  for (const body of [{}, { id: "x" }, { id: 7 }, { id: "0".repeat(32), extra: 1 }]) {
    expect((await edge.post("/v1/cache/feedback", key, body)).status).toBe(400);
  }
});

test("a purge of the tenant ends what was found by meaning too", async () => {
  const prompt = "why is sea water salty anyway";
  const { first } = await keep(prompt, `so ${prompt}`);
  expect((await admin(edge, "POST", "/cache/purge", { tenant: "acme" })).status).toBe(200);
  const after = await ask(`and ${prompt}`);
  expect(after.status).not.toContain(`id=${first.id}`);
});
