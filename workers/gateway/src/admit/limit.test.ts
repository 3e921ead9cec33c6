import { emptyBucket, type RateAsk, type RateDecision, type RateRule, type RateState, takeTokens } from "@ledge/policy";
import { beforeEach, describe, expect, test } from "vitest";
import { Limit } from "./limit.ts";
import type { TokenBucket } from "./ports.ts";

/** The counter in memory, as the Durable Object keeps it, with its asks on record. */
class MemoryBucket implements TokenBucket {
  readonly asks: RateAsk[] = [];
  down = false;
  readonly #states = new Map<string, RateState>();

  async take(subject: string, rule: RateRule, ask: RateAsk): Promise<RateDecision> {
    if (this.down) throw new Error("overloaded");
    this.asks.push(ask);
    const [decision, state] = takeTokens(rule, this.#states.get(subject) ?? emptyBucket, nowMs, ask);
    this.#states.set(subject, state);
    return decision;
  }
}

let nowMs: number;
let bucket: MemoryBucket;
let background: Promise<void>[];

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  bucket = new MemoryBucket();
  background = [];
});

function caller(limit: number, subject = "key:a") {
  return { subject, rate: { limit, windowMs: 60_000 } };
}

const isolate = () => new Limit(bucket, () => nowMs);

async function admitted(limit: Limit, principal: ReturnType<typeof caller>, calls: number): Promise<number> {
  const decisions = await Promise.all(
    Array.from({ length: calls }, () => limit.take(principal, (work) => background.push(work))),
  );
  await Promise.all(background);
  return decisions.filter(({ granted }) => granted > 0).length;
}

describe("the limit as an isolate holds it", () => {
  test("admits exactly its number of concurrent calls", async () => {
    for (const limit of [1, 10, 100, 1_000]) {
      expect(await admitted(isolate(), caller(limit, `key:${limit}`), 3 * limit)).toBe(limit);
    }
  });

  test("is one limit for several isolates", async () => {
    const isolates = [isolate(), isolate(), isolate()];
    const counts = await Promise.all(isolates.map((one) => admitted(one, caller(10), 50)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10);
  });

  test("lets a fast caller spend leases: far fewer hops than calls", async () => {
    const limit = isolate();
    for (let call = 0; call < 5_000; call++) expect(await admitted(limit, caller(1_000_000), 1)).toBe(1);
    expect(bucket.asks.length).toBeLessThan(40);
  });

  test("renews a large lease before it runs out, so that no call stands waiting", async () => {
    const limit = isolate();
    for (let call = 0; call < 3_000; call++) await admitted(limit, caller(1_000_000), 1);
    const waiting = bucket.asks.filter(({ ahead }) => !ahead).length;
    expect(bucket.asks.filter(({ ahead }) => ahead).length).toBeGreaterThan(2);
    expect(waiting).toBeLessThan(10);
  });

  test("held alone while the counter cannot be reached is still a limit", async () => {
    bucket.down = true;
    const limit = isolate();
    expect(await admitted(limit, caller(10), 100)).toBe(10);
    nowMs += 6_000;
    expect(await admitted(limit, caller(10), 100)).toBe(1);
  });

  test("goes back to the counter as soon as it can be reached", async () => {
    bucket.down = true;
    const limit = isolate();
    await admitted(limit, caller(10), 1);
    bucket.down = false;
    await admitted(limit, caller(10), 1);
    expect(bucket.asks).toHaveLength(1);
  });
});
