import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());

/** Statuses of so many equal calls sent at once, counted. */
async function burst(key: string, calls: number): Promise<Record<number, number>> {
  const statuses = await Promise.all(
    Array.from({ length: calls }, async () => {
      const answer = await edge.get("/v1/models", key);
      await answer.text();
      return answer.status;
    }),
  );
  const counted: Record<number, number> = {};
  for (const status of statuses) counted[status] = (counted[status] ?? 0) + 1;
  return counted;
}

describe("the rate limit of a key", () => {
  test("admits exactly 10 of 100 concurrent calls against a limit of 10", async () => {
    const { key } = await edge.issueKey({ requests_per_minute: 10 });
    expect(await burst(key, 100)).toEqual({ 200: 10, 429: 90 });
  });

  test("is exact for larger limits too, where tokens are leased ahead", async () => {
    // A limit so low per second that nothing drains while the burst lasts: one request drains in 120 ms.
    const { key } = await edge.issueKey({ requests_per_minute: 500 });
    const startedMs = Date.now();
    const counted = await burst(key, 600);
    const drainedMax = Math.ceil(((Date.now() - startedMs) * 500) / 60_000);
    expect(counted[200]).toBeLessThanOrEqual(500 + drainedMax);
    expect(counted[200]).toBeGreaterThanOrEqual(495);
  });

  test("refuses with 429, Retry-After, RateLimit and RateLimit-Policy", async () => {
    const { key } = await edge.issueKey({ requests_per_minute: 2 });
    await burst(key, 2);
    const refused = await edge.post("/v1/predict", key, { model: "intent", input: "hello" });
    expect(refused.status).toBe(429);
    expect((await bodyOf(refused)).code).toBe("rate_limited");
    expect(refused.headers.get("RateLimit-Policy")).toBe('"requests";q=2;w=60');
    expect(refused.headers.get("RateLimit")).toMatch(/^"requests";r=0;t=(59|60)$/);
    const retryAfterS = Number(refused.headers.get("Retry-After"));
    expect(retryAfterS).toBeGreaterThan(25);
    expect(retryAfterS).toBeLessThanOrEqual(30);
  });

  test("says on every admitted answer what is left", async () => {
    const { key } = await edge.issueKey({ requests_per_minute: 5 });
    const left = [];
    for (let call = 0; call < 5; call++) left.push((await edge.get("/v1/models", key)).headers.get("RateLimit"));
    expect(left.map((header) => /r=(\d+)/.exec(header ?? "")?.[1])).toEqual(["4", "3", "2", "1", "0"]);
  });

  test("is of that key alone: another key of the tenant is untouched", async () => {
    const [one, other] = [
      await edge.issueKey({ requests_per_minute: 1 }),
      await edge.issueKey({ requests_per_minute: 1 }),
    ];
    expect(await burst(one.key, 5)).toEqual({ 200: 1, 429: 4 });
    expect(await burst(other.key, 5)).toEqual({ 200: 1, 429: 4 });
  });

  test("is not spent by a call that is refused for another reason", async () => {
    const { key } = await edge.issueKey({ requests_per_minute: 1 });
    for (let call = 0; call < 5; call++) {
      expect((await edge.post("/v1/predict", key, "{broken")).status).toBe(400);
    }
    expect(await burst(key, 2)).toEqual({ 200: 1, 429: 1 });
  });

  test("is not forgiven by a restart of the edge", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ledge-limit-"));
    const before = await startEdge({ dataDir });
    const { key } = await before.issueKey({ requests_per_minute: 1 });
    expect((await before.get("/v1/models", key)).status).toBe(200);
    await before.close();
    const after = await startEdge({ dataDir });
    expect((await after.get("/v1/models", key)).status).toBe(429);
    await after.close();
    rmSync(dataDir, { recursive: true });
  });
});
