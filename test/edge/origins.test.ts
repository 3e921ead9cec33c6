import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import type { Told, Turn } from "../../workers/dispatch/src/learn/turns.ts";
import { startChatOrigin } from "../support/chat-origin.ts";
import { startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";

/** Two regions with a real origin each: while one is well, no caller hears that the other is not. */

const chat = { model: "tiny-chat", messages: [{ role: "user", content: "hello" }] };
const script = { tokens: ["well", " said"], firstMs: 5 };

let near: RunningOrigin;
let far: RunningOrigin;
let edge: TestEdge;
let key: string;

async function startOver(nearUrl: string, farUrl: string) {
  const pools = [
    { region: "near", origins: [{ name: "near-1", url: nearUrl }] },
    { region: "far", origins: [{ name: "far-1", url: farUrl }] },
  ];
  edge = await startEdge({ dispatch: { ORIGIN_URL: "", ORIGINS: JSON.stringify(pools) } });
  key = (await edge.issueKey()).key;
}

beforeEach(async () => {
  [near, far] = await Promise.all([startFakeOrigin(script), startFakeOrigin(script)]);
  await startOver(near.url, far.url);
});
afterEach(async () => {
  near.signal("SIGCONT");
  await edge.close();
  await Promise.all([near.close(), far.close()]);
});

function ask(more: object = {}): Promise<Response> {
  return edge.post("/v1/chat/completions", key, { ...chat, ...more });
}

/** What calls got while `happens` happened: how many of each status, and by which origin at the end. */
async function underLoad(calls: number, happens: () => Promise<void> | void, more: object = {}) {
  const statuses = new Map<string, number>();
  let done = 0;
  const caller = async () => {
    while (done++ < calls) {
      const answer = await ask(more);
      const text = await answer.text();
      const whole = more === stream ? text.includes("data: [DONE]") : text.includes("well said");
      const got = `${answer.status}${whole ? "" : " broken"}`;
      statuses.set(got, (statuses.get(got) ?? 0) + 1);
      if (done === Math.floor(calls / 3)) await happens();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { statuses: Object.fromEntries(statuses), by: await byWhom() };
}

const stream = { stream: true };
const callers = 4;

async function byWhom(): Promise<string> {
  const answer = await ask();
  await answer.body?.cancel();
  return (answer.headers.get("Ledge-Origin") ?? "").split(";")[0] ?? "";
}

describe("when the nearer origin", () => {
  test("is well, it answers, and says so", async () => {
    expect(await byWhom()).toBe("near-1");
  });

  test.each([
    ["whole", {}],
    ["streamed", stream],
  ])("is killed under load, no %s answer fails, and the farther one takes over", async (_form, more) => {
    const { statuses, by } = await underLoad(120, () => near.kill(), more);
    expect(Object.keys(statuses).filter((got) => !got.startsWith("200"))).toEqual([]);
    // Whoever had words of it already, one a caller at most, was told in-band: nobody can say the rest.
    expect(statuses["200 broken"] ?? 0).toBeLessThanOrEqual(more === stream ? callers : 0);
    expect(by).toBe("far-1");
  });

  test("is frozen under load, no call fails, and when it goes on it is asked again", async () => {
    const { statuses, by } = await underLoad(60, () => near.signal("SIGSTOP"));
    expect(statuses).toEqual({ 200: 60 });
    expect(by).toBe("far-1");
    near.signal("SIGCONT");
    await until("the nearer origin is asked again", async () => (await byWhom()) === "near-1", 30_000);
  });

  test("comes back after it was killed, it is asked again", async () => {
    await near.kill();
    expect(await byWhom()).toBe("far-1");
    near = await startFakeOrigin(script, "none", { PORT: new URL(near.url).port });
    await until("the nearer origin is asked again", async () => (await byWhom()) === "near-1", 30_000);
  });

  test("was frozen, it does none of the work that others did since", async () => {
    near.signal("SIGSTOP");
    const answer = await edge.post("/v1/chat/completions", key, chat, { "Ledge-Timeout-Ms": "4000" });
    expect(answer.status).toBe(200);
    near.signal("SIGCONT");
    await until("it runs again", async () => (await fetch(`${near.url}/readyz`)).status === 200);
    expect(near.logs.filter((line) => line.includes('"status":200') && line.includes("completions"))).toEqual([]);
  });
});

test("when both are gone, the answer is a 503 with the time to come back", async () => {
  await Promise.all([near.kill(), far.kill()]);
  const answer = await ask();
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
});

test("an isolate tells the others which origin it left", async () => {
  await near.kill();
  expect(await byWhom()).toBe("far-1");
  const books = await edge.miniflare.getDurableObjectNamespace("ORIGIN_BOOK", "ledge-dispatch");
  const book = books.get(books.idFromName("origins")) as unknown as { exchange(turns: []): Promise<readonly Told[]> };
  const told = async () => (await book.exchange([])).map((turn) => `${turn.key} ${turn.news.kind}`);
  await until("the book was told", async () => (await told()).includes("near-1 open"));
});

test("an isolate that is told that an origin was left asks the other one, and tries it itself when that is over", async () => {
  expect(await byWhom()).toBe("near-1");
  const books = await edge.miniflare.getDurableObjectNamespace("ORIGIN_BOOK", "ledge-dispatch");
  const book = books.get(books.idFromName("origins")) as unknown as {
    exchange(turns: readonly Turn[]): Promise<unknown>;
  };
  await book.exchange([{ key: "near-1", news: { kind: "open", untilMs: Date.now() + 10_000, times: 1 } }]);
  await until("it was heard", async () => (await byWhom()) === "far-1", 9_000);
  await until("the nearer origin is asked again", async () => (await byWhom()) === "near-1", 30_000);
});

test("of two origins in a region the slow one is asked seldom", async () => {
  const [slow, quick] = [await startChatOrigin(), await startChatOrigin()];
  slow.onCall = (call) => void setTimeout(() => call.whole("well said"), 1_000);
  quick.onCall = (call) => call.whole("well said");
  await edge.close();
  const origins = [
    { name: "slow", url: slow.url },
    { name: "quick", url: quick.url },
  ];
  edge = await startEdge({ dispatch: { ORIGINS: JSON.stringify([{ region: "only", origins }]) } });
  key = (await edge.issueKey()).key;
  const { statuses } = await underLoad(100, () => undefined);
  expect(statuses).toEqual({ 200: 100 });
  expect(slow.calls.length).toBeLessThanOrEqual(15);
  await Promise.all([slow.close(), quick.close()]);
});

describe("an origin that says 503 and when to come back", () => {
  test("is not asked again before, and its calls are answered elsewhere", async () => {
    const full = await startChatOrigin();
    full.onCall = (call) => call.fault(503, "overloaded", 60);
    await edge.close();
    await startOver(full.url, far.url);
    for (let call = 0; call < 20; call++) expect((await ask()).status).toBe(200);
    expect(full.calls.length).toBe(1);
    await full.close();
  });
});

test("with one of two failing half its calls, requests are at most a tenth more than calls, and nobody hears of it", async () => {
  const [flaky, well] = [await startChatOrigin(), await startChatOrigin()];
  flaky.onCall = (call) =>
    flaky.calls.length % 2 === 0 ? call.fault(502, "upstream_failed") : call.whole("well said");
  well.onCall = (call) => call.whole("well said");
  await edge.close();
  await startOver(flaky.url, well.url);
  const calls = 300;
  const { statuses } = await underLoad(calls, () => undefined);
  expect(statuses).toEqual({ 200: calls });
  // And the one that asks who answers in the end.
  expect(flaky.calls.length + well.calls.length).toBeLessThanOrEqual((calls + 1) * 1.1);
  await Promise.all([flaky.close(), well.close()]);
});
