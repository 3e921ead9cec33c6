import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, startOrigin, type TestEdge, until } from "../support/ledge.ts";

/** What answers when a tier does not: the same model package at both, so the same answer from either. */

const input = "transfer fifty dollars from checking to savings";
const body = { model: "intent", input };
const noStore = { "Cache-Control": "no-store" };

const broken = `import { WorkerEntrypoint } from "cloudflare:workers";
  export default class extends WorkerEntrypoint {
    predict() { throw new Error("boom"); }
    warm() { throw new Error("boom"); }
  }`;

let origin: RunningOrigin;
let open: TestEdge[] = [];

beforeAll(async () => {
  origin = await startOrigin({ MODELS: "intent" });
});
afterEach(async () => {
  await Promise.all(open.map((edge) => edge.close()));
  open = [];
});
afterAll(() => origin.close());

async function start(options: Parameters<typeof startEdge>[0]) {
  const edge = await startEdge(options);
  open.push(edge);
  return { edge, key: (await edge.issueKey()).key };
}

describe("when the inference Worker", () => {
  test("is broken, the origin answers with the same label and scores, and says so", async () => {
    const healthy = await start({ originUrl: origin.url });
    const near = await healthy.edge.post("/v1/predict", healthy.key, body);
    expect(near.headers.get("Ledge-Tier")).toBe("edge");
    const failing = await start({ originUrl: origin.url, standIns: { inference: broken } });
    const far = await failing.edge.post("/v1/predict", failing.key, body);
    expect(far.status).toBe(200);
    expect(far.headers.get("Ledge-Tier")).toBe("origin");
    const [ours, theirs] = [await bodyOf(near), await bodyOf(far)];
    expect(theirs.tier).toBe("origin");
    expect(theirs.output.label).toBe(ours.output.label);
    expect(theirs.output.score).toBeCloseTo(ours.output.score, 4);
  });

  test("has a queue over its bound, the origin answers and says so", async () => {
    const { edge, key } = await start({ originUrl: origin.url, inference: { QUEUE_ROWS_MAX: "0" } });
    const answer = await edge.post("/v1/predict", key, body);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Ledge-Tier")).toBe("origin");
  });

  test("is flooded, every call is answered, by one tier or the other", async () => {
    const { edge, key } = await start({ originUrl: origin.url, inference: { QUEUE_ROWS_MAX: "2" } });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        edge.post("/v1/predict", key, { model: "intent", input: [`call ${i}`, input] }, noStore),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const tiers = answers.map((answer) => answer.headers.get("Ledge-Tier"));
    expect(tiers).toContain("edge");
    expect(tiers).toContain("origin");
  });

  test("and the origin both fail, the answer is a 503 with Retry-After, and nothing is kept", async () => {
    const { edge, key } = await start({ standIns: { inference: broken } });
    for (let call = 0; call < 2; call++) {
      const answer = await edge.post("/v1/predict", key, body);
      expect(answer.status).toBe(503);
      expect((await bodyOf(answer)).code).toBe("origin_unavailable");
      expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
      expect(answer.headers.get("Cache-Status")).toBe("Ledge; fwd=bypass");
    }
    await until("the log says what broke", () => edge.logs.some((line) => line.includes("edge: upstream_failed")));
    expect(edge.logs.join("\n")).toContain("boom");
  });

  test("is broken, what it said is not told to the caller", async () => {
    const { edge, key } = await start({ standIns: { inference: broken } });
    expect(await (await edge.post("/v1/predict", key, body)).text()).not.toContain("boom");
  });
});

describe("when the origin is down", () => {
  const chat = { model: "tiny-chat", messages: [{ role: "user", content: "hello" }] };

  test("a chat is a clear 503 with Retry-After while the edge goes on answering", async () => {
    const { edge, key } = await start({});
    const refused = await edge.post("/v1/chat/completions", key, chat);
    expect(refused.status).toBe(503);
    expect((await bodyOf(refused)).error.code).toBe("origin_unavailable");
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    const answered = await edge.post("/v1/predict", key, body);
    expect(answered.status).toBe(200);
    expect(answered.headers.get("Ledge-Tier")).toBe("edge");
  });

  test("a streamed chat is refused before it starts, with a status a client can act on", async () => {
    const { edge, key } = await start({});
    const refused = await edge.post("/v1/chat/completions", key, { ...chat, stream: true });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("Content-Type")).toContain("application/json");
  });

  test("the edge is still ready, and says which part is not", async () => {
    const { edge } = await start({});
    const ready = await edge.get("/readyz");
    expect(ready.status).toBe(200);
    expect(await bodyOf(ready)).toEqual({ ready: true, edge: true, origin: false });
  });
});

test("an edge whose models cannot run is not ready", async () => {
  const { edge } = await start({ originUrl: origin.url, standIns: { inference: broken } });
  expect((await edge.get("/readyz")).status).toBe(503);
});

test("an origin that refuses the edge's secret is the deployment's fault, not the caller's", async () => {
  const { edge, key } = await start({
    originUrl: origin.url,
    dispatch: { ORIGIN_SECRET: "not-the-secret-of-the-origin" },
    standIns: { inference: broken },
  });
  const answer = await edge.post("/v1/predict", key, body);
  expect(answer.status).toBe(502);
  expect((await bodyOf(answer)).code).toBe("upstream_failed");
});

test.each([
  ["gateway", "/v1/models", ["CACHE_SECRET", "KEY_PEPPER"]],
  ["operator", "/admin/v1/models", ["ORIGIN_SECRET", "ADMIN_KEY_HASH"]],
] as const)(
  "a Worker without its secrets answers 500 to all, and its log names each one that is missing: %s",
  async (worker, path, names) => {
    const edge = await startEdge({ [worker]: Object.fromEntries(names.map((name) => [name, ""])) });
    open.push(edge);
    const answer = await edge.get(path);
    expect(answer.status).toBe(500);
    await until("the log names them", () => edge.logs.some((line) => names.every((name) => line.includes(name))));
  },
);
