import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { LedgerEvent, UsageAnswer } from "@ledge/contract";
import { mintKey } from "@ledge/policy";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayName } from "../../scripts/edge/run.ts";
import { bodyOf } from "../support/answer-body.ts";
import { adminKey, keyPepper, startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";
import { costIn, events, publishTenant, publishTerms, testPrice, totals, totalsOf, usage } from "../support/ledgers.ts";
import { storeKey } from "../support/stored-keys.ts";

const webhookSecret = "a-secret-that-events-are-signed-with";
const told: { headers: IncomingHttpHeaders; body: string }[] = [];
/** Refuses the first of every event. */
const receiver = createServer(async (request, response) => {
  const body = await text(request);
  const again = told.some((one) => one.body === body);
  told.push({ headers: request.headers, body });
  response.statusCode = again ? 204 : 503;
  response.end();
});

let edge: TestEdge;
let origin: Awaited<ReturnType<typeof startFakeOrigin>>;

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  origin = await startFakeOrigin({ tokens: ["a", "b", "c", "d"], endless: true, tokenMs: 1 });
  edge = await startEdge({
    originUrl: origin.url,
    gateways: 3,
    operator: {
      EVENTS_WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/events`,
      EVENTS_WEBHOOK_SECRET: webhookSecret,
      EVENTS_WEBHOOK_LOCAL: "on",
    },
  });
  await publishTerms(edge);
});
afterAll(async () => {
  await edge.close();
  await origin.close();
  receiver.close();
});

const chat = (more: object = {}) => ({
  model: "tiny-chat",
  messages: [{ role: "user", content: "one two three" }],
  max_tokens: 4,
  ...more,
});
/** Three tokens of prompt and four of output. */
const chatCost = testPrice.per_call + 3 * 2 + 4 * 5;

const ask = (key: string, more: object = {}, headers = {}) =>
  edge.post("/v1/chat/completions", key, chat(more), headers);

/** A stream's text, and what its last comment says it cost. */
async function streamed(answer: Response): Promise<{ readonly text: string; readonly cost: number | undefined }> {
  const said = await answer.text();
  return { text: said, cost: costIn(/: ledge-cost (.*)/.exec(said)?.[1]) };
}

describe("a quota", () => {
  test("of 100 tokens admits exactly one of 50 concurrent calls of 80, whichever gateway they come to", async () => {
    await publishTenant(edge, "eighty", { tokens_per_month: 100 });
    const { key } = await storeKey(edge, { tenant: "eighty" });
    const others = [1, 2].map((i) => edge.miniflare.unsafeGetDirectURL(gatewayName(i)));
    const urls = [edge.url, ...(await Promise.all(others)).map(({ origin: url }) => url)];
    // Every byte of a body may be a token, so the body's bytes and the one allowed token are what is reserved.
    const ofOne = (content: string) => JSON.stringify(chat({ messages: [{ role: "user", content }], max_tokens: 1 }));
    const body = ofOne("a".repeat(79 - ofOne("").length));
    expect(body).toHaveLength(79);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        fetch(`${urls[i % 3]}/v1/chat/completions`, {
          method: "POST",
          headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
          body,
        }),
      ),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(refused).toHaveLength(49);
    const bodies = await Promise.all(refused.map(bodyOf));
    expect(bodies.every(({ error }) => error.code === "quota_exceeded")).toBe(true);
  });

  test("of calls admits exactly its number from several gateways, and what was refused costs nothing", async () => {
    await publishTenant(edge, "seven", { calls_per_day: 7 });
    const { key } = await storeKey(edge, { tenant: "seven" });
    const others = [1, 2].map((i) => edge.miniflare.unsafeGetDirectURL(gatewayName(i)));
    const urls = [edge.url, ...(await Promise.all(others)).map(({ origin: url }) => url)];
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const answer = await fetch(`${urls[i % 3]}/v1/chat/completions`, {
          method: "POST",
          headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
          body: JSON.stringify(chat()),
        });
        await answer.text();
        return answer.status;
      }),
    );
    expect(answers.filter((status) => status === 200)).toHaveLength(7);
    const { calls, cost } = await totalsOf(edge, "seven", 7);
    expect({ calls, cost }).toEqual({ calls: 7, cost: 7 * chatCost });
  });

  test("of money is spent to the micro-cent and no further, call after call", async () => {
    const quota = 2_000;
    await publishTenant(edge, "rich", { microcents_per_month: quota });
    const { key } = await storeKey(edge, { tenant: "rich" });
    // As if each of its bytes were a token; what it used is charged.
    const reserved = testPrice.per_call + 2 * JSON.stringify(chat()).length + 4 * 5;
    let spent = 0;
    for (; spent + reserved <= quota; spent += chatCost) expect((await ask(key)).status).toBe(200);
    expect(spent).toBeGreaterThan(5 * chatCost);
    for (let call = 0; call < 3; call++) expect((await ask(key)).status).toBe(429);
    expect((await totalsOf(edge, "rich", spent / chatCost)).cost).toBe(spent);
  });

  test("that is used up says when it is renewed: at the end of the tenant's day", async () => {
    await publishTenant(edge, "dawn", { calls_per_day: 1 }, { time_zone: "Asia/Kolkata" });
    const { key } = await storeKey(edge, { tenant: "dawn" });
    expect((await ask(key)).status).toBe(200);
    const refused = await ask(key);
    expect(refused.status).toBe(429);
    // Midnight in Kolkata is 18:30 in UTC.
    const intoDayMs = (Date.now() + 5.5 * 3_600_000) % 86_400_000;
    const leftS = (86_400_000 - intoDayMs) / 1000;
    const retryAfterS = Number(refused.headers.get("Retry-After"));
    expect(Math.abs(retryAfterS - leftS)).toBeLessThan(10);
  });

  test("counts what was used, not what was reserved: a chat of few tokens leaves room for many", async () => {
    // Each reserves over a hundred tokens and uses seven.
    await publishTenant(edge, "thrifty", { tokens_per_day: 200 });
    const { key } = await storeKey(edge, { tenant: "thrifty" });
    for (let call = 0; call < 10; call++) expect((await ask(key)).status).toBe(200);
    const { quotas } = await usage(edge, "tenant=thrifty");
    expect(quotas).toMatchObject([{ kind: "tokens", period: "day", limit: 200 }]);
    expect((await totalsOf(edge, "thrifty", 10)).output_tokens).toBe(40);
  });

  test("gives back what a call that failed, or was never begun, had reserved", async () => {
    await publishTenant(edge, "unlucky", { calls_per_day: 1 });
    const { key } = await storeKey(edge, { tenant: "unlucky" });
    for (let call = 0; call < 5; call++) {
      expect((await edge.post("/v1/chat/completions", key, chat({ model: "nobody" }))).status).toBe(404);
      expect((await edge.post("/v1/chat/completions", key, chat({ temperature: 1, seed: 1 }))).status).toBe(400);
    }
    expect((await ask(key)).status).toBe(200);
    expect((await ask(key)).status).toBe(429);
  });

  test("is not spent by cache hits but for calls: tokens of a kept answer are given back, money is charged by its share", async () => {
    await publishTenant(edge, "keeper", { tokens_per_day: 1_000, microcents_per_day: 1_000_000 });
    const { key } = await storeKey(edge, { tenant: "keeper" });
    const answers = [];
    for (let call = 0; call < 3; call++) answers.push(await ask(key, { temperature: 0 }));
    expect(answers.map(({ headers }) => costIn(headers.get("Ledge-Cost")))).toEqual([chatCost, 13, 13]);
    await totalsOf(edge, "keeper", 3);
    const { lines, quotas } = await usage(edge, "tenant=keeper&by=cache");
    expect(lines).toMatchObject([
      { cache: "hit", calls: 2, cost: 26, list_cost: 2 * chatCost, saved_by_cache: 2 * chatCost - 26, input_tokens: 6 },
      { cache: "miss", calls: 1, cost: chatCost, saved_by_cache: 0 },
    ]);
    expect(quotas.map(({ kind, used }) => [kind, used])).toEqual([
      ["tokens", 7],
      ["microcents", chatCost + 26],
    ]);
  });
});

describe("the cost of a call", () => {
  test("is on its answer and in its tenant's ledger, to the micro-cent", async () => {
    const { key } = await storeKey(edge, { tenant: "payer" });
    const answer = await ask(key);
    expect((await bodyOf(answer)).usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 4 });
    expect(answer.headers.get("Ledge-Cost")).toBe("0.00000126 USD");
    expect(await totalsOf(edge, "payer", 1)).toMatchObject({ input_tokens: 3, output_tokens: 4, cost: 126 });
  });

  test.each([
    ["past the cache", {}],
    ["into the cache", { temperature: 0, stop: "never" }],
    ["with its usage asked for", { stream_options: { include_usage: true } }],
  ])("is the same streamed and whole: %s", async (_how, more) => {
    const { key } = await storeKey(edge, { tenant: `same-${Object.keys(more).join("-")}` });
    const { stream_options: _options, ...plain } = more as { stream_options?: object };
    const whole = await ask(key, plain);
    const stream = await streamed(await ask(key, { ...more, stream: true }, { "Ledge-Cache-Key": "another" }));
    expect(costIn(whole.headers.get("Ledge-Cost"))).toBe(chatCost);
    expect(stream.cost).toBe(chatCost);
    expect(stream.text).not.toContain("ledge-usage");
    const { calls, cost } = await totalsOf(edge, `same-${Object.keys(more).join("-")}`, 2);
    expect({ calls, cost }).toEqual({ calls: 2, cost: 2 * chatCost });
  });

  test("behind a stream does not disturb the openai client", async () => {
    const { key } = await storeKey(edge, { tenant: "client" });
    const client = new OpenAI({ baseURL: `${edge.url}/v1`, apiKey: key, maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: "tiny-chat",
      messages: [{ role: "user", content: "one two three" }],
      max_tokens: 4,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("abcd");
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 4 });
    expect(await totalsOf(edge, "client", 1)).toMatchObject({ calls: 1, cost: chatCost });
  });

  test("of a stream that its caller leaves is what has passed", async () => {
    await publishTenant(edge, "leaver", { tokens_per_day: 5_000 });
    const { key } = await storeKey(edge, { tenant: "leaver" });
    const answer = await ask(key, { max_tokens: 1_000, stream: true });
    const reader = answer.body?.getReader();
    let said = "";
    while ((said.match(/"content":"[abcd]"/g) ?? []).length < 10) {
      said += new TextDecoder().decode((await reader?.read())?.value);
    }
    await reader?.cancel();
    const { failures, input_tokens, output_tokens } = await totalsOf(edge, "leaver", 1);
    expect({ failures, input_tokens }).toEqual({ failures: 1, input_tokens: 3 });
    expect(output_tokens).toBeGreaterThanOrEqual(10);
    expect(output_tokens).toBeLessThan(1_000);
    const { quotas } = await usage(edge, "tenant=leaver");
    expect(quotas).toMatchObject([{ used: 3 + output_tokens }]);
  });

  test("of a stream whose engine dies is what has passed", async () => {
    const dying = await startFakeOrigin({ tokens: ["x"], endless: true, failAfter: 3 });
    const there = await startEdge({ originUrl: dying.url });
    await publishTerms(there);
    const { key } = await storeKey(there, { tenant: "broken" });
    const answer = await there.post("/v1/chat/completions", key, chat({ stream: true, max_tokens: 50 }));
    const { text: said, cost } = await streamed(answer);
    expect(said).toContain("upstream_failed");
    expect(said).not.toContain("[DONE]");
    expect(cost).toBe(testPrice.per_call + 3 * 2 + 3 * 5);
    expect(await totalsOf(there, "broken", 1)).toMatchObject({ failures: 1, input_tokens: 3, output_tokens: 3 });
    await there.close();
    await dying.close();
  });

  test("of a classification is by its tokens, and of one that is refused nothing", async () => {
    const { key } = await storeKey(edge, { tenant: "sorter" });
    const answer = await edge.post("/v1/predict", key, { model: "intent", input: "book a flight" });
    const { usage: used, tier } = await bodyOf(answer);
    expect(tier).toBe("edge");
    expect(costIn(answer.headers.get("Ledge-Cost"))).toBe(testPrice.per_call + 2 * used.input_tokens);
    const refused = await edge.post("/v1/predict", key, { model: "intent", input: { image: "" } });
    expect(refused.status).toBe(400);
    const { cost, failures } = await totalsOf(edge, "sorter", 2);
    expect({ cost, failures }).toEqual({ cost: testPrice.per_call + 2 * used.input_tokens, failures: 1 });
  });

  test("of calls that wait for an equal one is that of a kept answer, and whoever asked first pays", async () => {
    const { key } = await storeKey(edge, { tenant: "flock" });
    const more = { temperature: 0, stop: "together" };
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(key, more)));
    const costs = answers.map(({ headers }) => costIn(headers.get("Ledge-Cost"))).sort((a, b) => Number(b) - Number(a));
    expect(costs).toEqual([chatCost, 13, 13, 13, 13]);
  });
});

describe("reports", () => {
  test("tell a tenant's calls by key, model and hour, as JSON and as CSV", async () => {
    const [one, other] = [await storeKey(edge, { tenant: "report" }), await storeKey(edge, { tenant: "report" })];
    for (const { key } of [one, one, other]) expect((await ask(key)).status).toBe(200);
    await totalsOf(edge, "report", 3);
    const { lines, currency } = await usage(edge, "tenant=report&by=key,model,tier&per=hour");
    expect(currency).toBe("USD");
    expect(lines.map(({ key, model, tier, calls, cost }) => [key, model, tier, calls, cost]).sort()).toEqual(
      [
        [one.id, "tiny-chat", "origin", 2, 2 * chatCost],
        [other.id, "tiny-chat", "origin", 1, chatCost],
      ].sort(),
    );
    expect(lines[0]?.at).toMatch(/:00:00\.000Z$/);
    expect(lines[0]?.latency_ms_p50).toBeGreaterThan(0);
    const csv = await edge.get("/admin/v1/usage?tenant=report&by=tenant&format=csv", adminKey);
    expect(csv.headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
    const [head = "", line = ""] = (await csv.text()).split("\r\n");
    expect(line.split(",")[head.split(",").indexOf("cost")]).toBe(String(3 * chatCost));
  });

  test("of all tenants name each, and join what is not split by them", async () => {
    const { lines } = await usage(edge, "");
    expect(lines.map(({ tenant }) => tenant)).toEqual(expect.arrayContaining(["payer", "report"]));
    const joined = await usage(edge, "by=action");
    expect(joined.lines.map(({ action }) => action)).toEqual(["chat", "infer"]);
    const sum = lines.reduce((calls, line) => calls + line.calls, 0);
    expect(joined.lines.reduce((calls, line) => calls + line.calls, 0)).toBeGreaterThanOrEqual(sum);
  });

  test("that are asked for by what there is not are refused with every fault", async () => {
    const answer = await edge.get("/admin/v1/usage?by=colour&per=week&format=xml&from=then&shape=round", adminKey);
    expect(answer.status).toBe(400);
    const paths = (await bodyOf(answer)).issues.map(({ path }) => path);
    expect(paths.sort()).toEqual(["by", "format", "from", "per", "shape"]);
  });

  test("are of a key's own calls for the key, and never of another tenant's", async () => {
    const [one, other] = [await storeKey(edge, { tenant: "own" }), await storeKey(edge, { tenant: "own" })];
    const stranger = await storeKey(edge, { tenant: "stranger" });
    for (const { key } of [one, other, other]) await ask(key);
    await totalsOf(edge, "own", 3);
    const mine = async (key: string, query = "") => {
      const answer = await edge.get(`/v1/usage?${query}`, key);
      expect(answer.status).toBe(200);
      return ((await answer.json()) as UsageAnswer).lines.reduce((calls, line) => calls + line.calls, 0);
    };
    expect(await mine(one.key)).toBe(1);
    expect(await mine(other.key)).toBe(2);
    expect(await mine(one.key, `key=${other.id}`)).toBe(1);
    expect(await mine(stranger.key, "tenant=own")).toBe(0);
    expect(await mine(stranger.key, `key=${one.id}`)).toBe(0);
    expect((await edge.get("/v1/usage")).status).toBe(401);
    expect((await edge.get("/admin/v1/usage?tenant=own", one.key)).status).toBe(401);
  });
});

test("whoever may read as an operator does sees the whole tenant's calls, and no other's", async () => {
  const own = await storeKey(edge, { tenant: "read" });
  await ask(own.key);
  await totalsOf(edge, "read", 1);
  const scopes = [{ actions: ["admin-read" as const], models: ["*"] }];
  const keyedHash = (key: string) => createHmac("sha256", keyPepper).update(key).digest("hex");
  const fields = { tenant: "read", name: "reader", scopes, createdAtMs: Date.now() };
  const { key, stored } = mintKey(crypto.getRandomValues(new Uint8Array(32)), fields, keyedHash);
  await (await edge.miniflare.getKVNamespace("KEYS", "ledge-gateway")).put(`key:${stored.id}`, JSON.stringify(stored));
  const report = (await (await edge.get("/v1/usage?by=key", key)).json()) as UsageAnswer;
  expect(report.lines).toMatchObject([{ key: own.id, calls: 1 }]);
  expect((await ask(key)).status).toBe(403);
});

describe("events", () => {
  test("are raised once at each share of a quota and when it is used up, and told signed until they are taken", async () => {
    await publishTenant(edge, "watched", { calls_per_day: 5 });
    const { key } = await storeKey(edge, { tenant: "watched" });
    for (let call = 0; call < 7; call++) await ask(key);
    await until("both shares and the end", async () => (await events(edge, "watched")).length === 3);
    const raised = await events(edge, "watched");
    expect(raised.map(({ type, share }) => [type, share]).sort()).toEqual([
      ["quota.exhausted", 1],
      ["quota.threshold", 0.8],
      ["quota.threshold", 1],
    ]);
    const ofIt = () => told.filter(({ body }) => body.includes('"watched"'));
    await until("each event is told again after it was refused", () => ofIt().length >= 6, 30_000);
    const ids = new Set(ofIt().map(({ body }) => (JSON.parse(body) as LedgerEvent).id));
    expect([...ids].sort()).toEqual(raised.map(({ id }) => id).sort());
    for (const { headers, body } of ofIt()) {
      const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["ledge-signature"])) ?? [];
      expect(createHmac("sha256", webhookSecret).update(`${time}.${body}`).digest("hex")).toBe(signature);
    }
  });
});

test("a tenant without quotas is never asked for before the answer, and has its rows all the same", async () => {
  const { key } = await storeKey(edge, { tenant: "free" });
  for (let call = 0; call < 3; call++) expect((await ask(key)).status).toBe(200);
  expect((await totalsOf(edge, "free", 3)).calls).toBe(3);
  expect((await totals(edge, "free")).unreported).toEqual({ calls: 0, tokens: 0, microcents: 0 });
});
