import { createHash } from "node:crypto";
import type { AnswerIdentity } from "@ledge/policy";
import { beforeEach, describe, expect, test } from "vitest";
import { AnswerCache, forwarded } from "./answers.ts";
import { MemoryAnswers } from "./memory.ts";
import type { AnswerStore, StoredAnswer } from "./ports.ts";

const digests = {
  sha256Hex: (text: string) => createHash("sha256").update(text).digest("hex"),
  same: (a: string, b: string) => a === b,
};

/** KV in memory; it counts reads and can be out of reach. */
class MemoryStore implements AnswerStore {
  readonly kept = new Map<string, StoredAnswer>();
  reads = 0;
  down = false;

  async get(key: string) {
    this.reads++;
    if (this.down) throw new Error("KV is down");
    return this.kept.get(key);
  }
  async put(key: string, answer: StoredAnswer) {
    if (this.down) throw new Error("KV is down");
    this.kept.set(key, answer);
  }
}

const identity: AnswerIdentity = {
  tenant: "acme",
  task: "chat",
  model: "m",
  version: "1",
  digest: "d",
  input: "what is the secret word",
};
const wish = { lookup: true, store: true };

let nowMs: number;
let store: MemoryStore;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  store = new MemoryStore();
});

const isolate = () =>
  new AnswerCache({ memory: new MemoryAnswers(1_000_000), store, digests, nowMs: () => nowMs, ttlS: 60 });

describe("the answer cache", () => {
  test("answers from memory without touching KV, and another isolate from KV", async () => {
    const one = isolate();
    await one.store(identity, { text: "hi" }, wish);
    expect(await one.lookup(identity, wish)).toEqual({
      value: { text: "hi" },
      outcome: { kind: "hit", layer: "memory", ttlS: 60 },
    });
    expect(store.reads).toBe(0);
    const other = isolate();
    expect((await other.lookup(identity, wish))?.outcome).toEqual({ kind: "hit", layer: "kv", ttlS: 60 });
    expect((await other.lookup(identity, wish))?.outcome).toMatchObject({ layer: "memory" });
  });

  test("forgets at its time to live, in memory and in KV", async () => {
    const one = isolate();
    await one.store(identity, 1, wish);
    nowMs += 60_000;
    expect(await one.lookup(identity, wish)).toBeUndefined();
    expect(await isolate().lookup(identity, wish)).toBeUndefined();
  });

  test("keeps nothing and reads nothing when the caller wishes so", async () => {
    const one = isolate();
    await one.store(identity, 1, { lookup: false, store: false });
    expect(store.kept.size).toBe(0);
    await one.store(identity, 1, wish);
    expect(await one.lookup(identity, { lookup: false, store: true })).toBeUndefined();
  });

  test("that cannot reach KV is a miss, never an error, and memory goes on", async () => {
    store.down = true;
    const one = isolate();
    expect(await one.lookup(identity, wish)).toBeUndefined();
    await one.store(identity, 1, wish);
    expect((await one.lookup(identity, wish))?.value).toBe(1);
  });

  test("tells no input by its key in KV", async () => {
    await isolate().store(identity, 1, wish);
    for (const key of store.kept.keys()) expect(key).toMatch(/^answer:[0-9a-f]{64}$/);
  });
});

test("what could not be kept is reported as a bypass", () => {
  expect(forwarded(wish, true)).toEqual({ kind: "forward", why: "miss", stored: true });
  expect(forwarded({ lookup: false, store: true }, true)).toEqual({ kind: "forward", why: "request", stored: true });
  expect(forwarded({ lookup: false, store: false }, true)).toEqual({ kind: "forward", why: "bypass", stored: false });
  expect(forwarded(wish, false)).toEqual({ kind: "forward", why: "bypass", stored: false });
});

describe("memory", () => {
  const answer = (chars: number) => ({ value: "x".repeat(chars), chars, expiresAtMs: Number.POSITIVE_INFINITY });

  test("stays within its bytes, and the least recently used goes first", () => {
    const memory = new MemoryAnswers(10_000);
    for (let i = 0; i < 100; i++) {
      memory.put(`k${i}`, answer(100));
      memory.get("k0", 0);
      expect(memory.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(memory.get("k0", 0)).toBeDefined();
    expect(memory.get("k1", 0)).toBeUndefined();
    expect(memory.get("k99", 0)).toBeDefined();
  });

  test("does not let one large answer push out all others", () => {
    const memory = new MemoryAnswers(10_000);
    memory.put("small", answer(10));
    memory.put("large", answer(2_000));
    expect(memory.get("large", 0)).toBeUndefined();
    expect(memory.get("small", 0)).toBeDefined();
  });

  test("counts an answer that is replaced once", () => {
    const memory = new MemoryAnswers(10_000);
    for (let i = 0; i < 1_000; i++) memory.put("same", answer(100));
    const once = new MemoryAnswers(10_000);
    once.put("same", answer(100));
    expect(memory.bytes).toBe(once.bytes);
  });
});
