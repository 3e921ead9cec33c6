import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelTally, Snapshot, TallyBatch } from "@ledge/contract";
import { emptyArmTally, emptyVersionTally } from "@ledge/policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";
import { admin } from "../support/registry.ts";
import { registerTwo, scriptedInference } from "../support/rollouts.ts";

/** Each model's counter: a Durable Object, called as the gateway calls it. */

interface Counter {
  add(model: string, batch: TallyBatch): Promise<void>;
  read(): Promise<ModelTally>;
}

async function counterOf(edge: TestEdge, model: string): Promise<Counter> {
  const counters = await edge.miniflare.getDurableObjectNamespace("TALLIES", "ledge-gateway");
  return counters.get(counters.idFromName(model)) as unknown as Counter;
}

const batch = (number: number, isolate = "one"): TallyBatch => ({
  isolate,
  number,
  versions: { "1": { ...emptyVersionTally, success: { count: 2, ns: 10 }, inferenceCount: 2 } },
  arms: { r1: { "1": { ...emptyArmTally, calls: 2 } } },
});

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: scriptedInference } });
});
afterAll(() => edge.close());

describe("a counter", () => {
  test("counts a batch that is sent twice once, and those of different isolates each", async () => {
    const counter = await counterOf(edge, "twice");
    for (const sent of [batch(1), batch(1), batch(2), batch(1), batch(1, "other")]) await counter.add("twice", sent);
    const { versions, arms } = await counter.read();
    expect(versions["1"]).toMatchObject({ success: { count: 6, ns: 30 }, inferenceCount: 6 });
    expect(arms.r1?.["1"]?.calls).toBe(6);
  });

  test("keeps what it counted over a restart of the edge, and still knows what it counted already", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ledge-tally-"));
    const before = await startEdge({ dataDir });
    await (await counterOf(before, "m")).add("m", batch(1));
    await before.close();
    const after = await startEdge({ dataDir });
    const counter = await counterOf(after, "m");
    await counter.add("m", batch(1));
    expect((await counter.read()).versions["1"]?.success.count).toBe(2);
    await after.close();
    rmSync(dataDir, { recursive: true });
  });

  test("gets every call of an isolate within seconds, answered by a tier or by the cache", async () => {
    const { key } = await edge.issueKey();
    const ask = async (input: string, headers = {}) => {
      await (await edge.post("/v1/predict", key, { model: "intent@1", input }, headers)).text();
    };
    for (let again = 0; again < 3; again++) await ask("the same");
    await ask("another", { "Cache-Control": "no-store" });
    const counter = await counterOf(edge, "intent");
    await until("they are counted", async () => (await counter.read()).versions["1"]?.success.count === 4);
    expect((await counter.read()).versions["1"]).toMatchObject({
      inferenceCount: 2,
      executionCount: 2,
      cacheHit: { count: 2 },
      cacheMiss: { count: 1 },
      fail: { count: 0 },
    });
  });

  test("gets failures with their reason", async () => {
    await registerTwo(edge, "failing");
    const { key } = await edge.issueKey();
    const ask = () => edge.post("/v1/predict", key, { model: "failing@2", input: "hello" });
    await until("version 2 is known", async () => (await ask()).status === 503);
    const counter = await counterOf(edge, "failing");
    await until("it is counted", async () => (await counter.read()).versions["2"]?.fail.count === 1);
    const { failures, success } = (await counter.read()).versions["2"] ?? {};
    expect(failures).toEqual({ BACKEND: 1 });
    expect(success?.count).toBe(0);
  });

  test.each([
    ["that ends", {}, { success: { count: 1 }, inferenceCount: 1, failures: {} }],
    ["that dies on its way", { failAfter: 2 }, { success: { count: 0 }, failures: { BACKEND: 1 } }],
  ])("gets a streamed chat %s when it is over, by how it ended", async (_how, script, counted) => {
    const origin = await startFakeOrigin(script);
    const at = await startEdge({ originUrl: origin.url });
    const { key } = await at.issueKey();
    const messages = [{ role: "user", content: "hello" }];
    await (
      await at.post("/v1/chat/completions", key, { model: "tiny-chat", messages, temperature: 0, stream: true })
    ).text();
    const counter = await counterOf(at, "tiny-chat");
    await until("it is counted", async () => (await counter.read()).versions["1"] !== undefined);
    expect((await counter.read()).versions["1"]).toMatchObject(counted);
    await at.close();
    await origin.close();
  });

  test("tells the registry what is hot, by the digest of the package", async () => {
    const { key } = await edge.issueKey();
    await (await edge.post("/v1/predict", key, { model: "intent", input: "warm" })).text();
    const digest = ((await admin(edge, "GET", "/models/intent/versions/1")).body as { digest: string }).digest;
    const snapshots = await edge.miniflare.getKVNamespace("SNAPSHOTS", "ledge-gateway");
    await until("the snapshot says so", async () => {
      const snapshot = await snapshots.get(`snapshot:${await snapshots.get("current")}`);
      return snapshot !== null && (JSON.parse(String(snapshot)) as Snapshot).hot.join() === digest;
    });
  });
});
