import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildVariant } from "../../scripts/edge/build.ts";
import { gatewayName } from "../../scripts/edge/run.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { type ChatOrigin, startChatOrigin } from "../support/chat-origin.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin } from "../support/registry.ts";

/**
 * The answer cache of the real Workers over a KV that is silent, failing, stale or confused. Two gateways: what one has kept
 * the other finds in KV. What befalls flights is in flight.test.ts, random orders in test/simulation.
 */

let origin: ChatOrigin;
let edge: TestEdge;
let key: string;
let urls: string[];
let prompts = 0;

beforeAll(async () => {
  const bundle = await buildVariant(
    "gateway",
    join(repoRoot, "test", "edge", "cache-faults.mjs"),
    "gateway-cache-faults",
  );
  origin = await startChatOrigin();
  origin.onCall = (call) => call.whole(`answer ${origin.calls.length} to ${JSON.stringify(call.body.messages)}`);
  edge = await startEdge({ originUrl: origin.url, gateways: 2, bundles: { gateway: bundle } });
  key = (await edge.issueKey()).key;
  const second = await edge.miniflare.unsafeGetDirectURL(gatewayName(1));
  urls = [edge.url, second.origin];
  // What a flight has just landed would stand in for what cannot be read.
  expect((await admin(edge, "PUT", "/models/tiny-chat/cache", { collapse: "isolate" })).status).toBe(200);
  await until("the first gateway has heard of it", async () => {
    const content = fresh();
    await kv(1, "stale");
    for (const at of [0, 1]) if (!(await ask(at, content)).cache.includes("fwd=miss; stored")) return false;
    return true;
  });
  await kv(1, "works");
});
afterEach(async () => {
  for (const at of [0, 1]) await kv(at, "works");
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

const fresh = () => `prompt ${++prompts}`;

async function ask(at: number, content: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${urls[at]}/v1/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ model: "tiny-chat", messages: [{ role: "user", content }], temperature: 0 }),
  });
  const cache = answer.headers.get("Cache-Status") ?? "";
  const body = (await answer.json()) as { choices?: { message: { content: string } }[] };
  return { status: answer.status, cache, text: body.choices?.[0]?.message.content ?? "" };
}

interface Seen {
  /** That it has written, the newest last. */
  readonly slots: readonly string[];
  readonly staleReads: number;
}

/** How a gateway's KV behaves from now on, what its last two slots are when it is to confuse them, and what it has seen. */
async function kv(at: number, mode: string, written: readonly string[] = []): Promise<Seen> {
  const answer = await fetch(`${urls[at]}/test/kv?mode=${mode}&written=${encodeURIComponent(written.join(","))}`);
  return (await answer.json()) as Seen;
}

/** Asked at the first gateway, and in KV. */
async function kept(...contents: string[]): Promise<readonly string[]> {
  const before = (await kv(0, "works")).slots.length;
  for (const content of contents) expect((await ask(0, content)).cache).toContain("fwd=miss; stored");
  const slots = async () => (await kv(0, "works")).slots.slice(before);
  await until("they are in KV", async () => (await slots()).length === contents.length);
  return await slots();
}

describe.each(["hangs", "fails"])("a KV that %s", (mode) => {
  test("fails no call, and what is kept is found in the isolate's memory", async () => {
    const content = fresh();
    await kept(content);
    await kv(1, mode);
    const first = await ask(1, content);
    expect(first).toMatchObject({ status: 200, text: expect.stringContaining(`"${content}"`) });
    expect(first.cache).toContain("fwd=miss");
    expect((await ask(1, content)).cache).toContain("hit");
    expect(await ask(1, fresh())).toMatchObject({ status: 200 });
  });
});

describe("a kept answer in KV", () => {
  test("is found by another gateway while nothing is wrong", async () => {
    const content = fresh();
    await kept(content);
    expect(await ask(1, content)).toMatchObject({ status: 200, cache: expect.stringContaining("detail=kv") });
  });

  test("under another answer's key answers nothing: each prompt gets its own answer, made anew", async () => {
    const [one, other] = [fresh(), fresh()];
    const slots = await kept(one, other);
    await kv(1, "foreign", slots);
    for (const content of [one, other]) {
      const answer = await ask(1, content);
      expect(answer.text).toContain(`"${content}"`);
      expect(answer.cache).toContain("fwd=miss");
    }
  });

  test("with a flipped bit answers nothing", async () => {
    const content = fresh();
    await kept(content);
    const before = origin.calls.length;
    await kv(1, "damaged");
    expect((await ask(1, content)).cache).toContain("fwd=miss; stored");
    expect(origin.calls).toHaveLength(before + 1);
  });

  test("that a stale KV does not show yet is made anew", async () => {
    const content = fresh();
    await kept(content);
    await kv(1, "stale");
    expect(await ask(1, content)).toMatchObject({ status: 200, cache: expect.stringContaining("fwd=miss") });
  });
});

test("a purge that a gateway has heard of is not taken back by a KV that shows older rules", async () => {
  const content = fresh();
  await kept(content);
  const before = await ask(1, content);
  expect(before.cache).toContain("hit");
  await kv(1, "works");
  expect((await admin(edge, "POST", "/cache/purge", { all: true })).status).toBe(200);
  await until("the gateway has heard of it", async () => (await ask(1, content)).text !== before.text);
  const after = await ask(1, content);
  const { staleReads } = await kv(1, "stale");
  const looked = async () => (await kv(1, "stale")).staleReads >= staleReads + 2;
  await until(
    "it has read older rules",
    async () => (await ask(1, content)).status === 200 && (await looked()),
    20_000,
  );
  expect((await ask(1, content)).text).toBe(after.text);
});

test("an answer that broke off half-way is not kept", async () => {
  const content = fresh();
  origin.onCall = (call) => {
    call.say("half an");
    call.drop();
  };
  const answer = await fetch(`${urls[0]}/v1/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: "tiny-chat", messages: [{ role: "user", content }], temperature: 0, stream: true }),
  });
  expect(await answer.text()).not.toContain("[DONE]");
  origin.onCall = (call) => call.whole("all of it");
  for (const at of [0, 1]) expect((await ask(at, content)).text).toBe("all of it");
});
