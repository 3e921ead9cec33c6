import { describe, expect, test } from "vitest";
import { MemoryAnswers } from "./memory.ts";
import type { Entry } from "./ports.ts";

const nowMs = 1_700_000_000_000;
const entryOf = (chars: number, id = "0".repeat(32)): Entry => ({
  id,
  value: "x".repeat(chars),
  chars,
  etag: 'W/""',
  number: 0,
  createdAtMs: nowMs,
  freshUntilMs: nowMs + 60_000,
  tags: [],
});
const memoryOf = (bytesMax: number) => new MemoryAnswers(bytesMax, () => nowMs);

describe("memory", () => {
  test("stays within its bytes, and the least recently used goes first", () => {
    const memory = memoryOf(40_000);
    for (let i = 0; i < 100; i++) {
      void memory.put({ text: `k${i}` }, entryOf(20), 60);
      memory.find("k0");
      expect(memory.bytes).toBeLessThanOrEqual(40_000);
    }
    for (let i = 100; i < 300; i++) {
      void memory.put({ text: `k${i}` }, entryOf(20), 60);
      memory.find("k0");
      expect(memory.bytes).toBeLessThanOrEqual(40_000);
    }
    expect(memory.find("k0")).toBeDefined();
    expect(memory.find("k1")).toBeUndefined();
    expect(memory.find("k299")).toBeDefined();
  });

  test("does not let one large answer push out all others", () => {
    const memory = memoryOf(10_000);
    void memory.put({ text: "small" }, entryOf(10), 60);
    void memory.put({ text: "large" }, entryOf(2_000), 60);
    expect(memory.find("large")).toBeUndefined();
    expect(memory.find("small")).toBeDefined();
  });

  test("lets a large answer push out many only when it is asked for again", () => {
    const memory = memoryOf(100_000);
    for (let i = 0; i < 400; i++) void memory.put({ text: `k${i}` }, entryOf(10), 60);
    const before = memory.find("k399");
    const large = entryOf(2_000, "1".repeat(32));
    void memory.put({ text: "large" }, large, 60);
    expect(memory.find("large")).toBeUndefined();
    expect(memory.find("k399")).toBe(before);
    void memory.put({ text: "large" }, large, 60);
    expect(memory.find("large")).toBe(large);
  });

  test("counts an answer that is replaced once", () => {
    const memory = memoryOf(10_000);
    for (let i = 0; i < 1_000; i++) void memory.put({ text: "same" }, entryOf(100), 60);
    const once = memoryOf(10_000);
    void once.put({ text: "same" }, entryOf(100), 60);
    expect(memory.bytes).toBe(once.bytes);
  });

  test("gives nothing past its time", async () => {
    let now = nowMs;
    const memory = new MemoryAnswers(10_000, () => now);
    await memory.put({ text: "k" }, entryOf(10), 60);
    now += 59_999;
    expect(await memory.get({ text: "k" })).toBeDefined();
    now += 1;
    expect(await memory.get({ text: "k" })).toBeUndefined();
    expect(memory.bytes).toBe(0);
  });
});
