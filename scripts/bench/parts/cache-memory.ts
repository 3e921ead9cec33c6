import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MemoryAnswers } from "../../../workers/gateway/src/cache/memory.ts";
import type { Entry } from "../../../workers/gateway/src/cache/ports.ts";
import type { Fact } from "../outcome.ts";
import { beladyBySize, leastRecentlyUsed, traceOf } from "../trace.ts";

/** What an answer costs in an isolate's memory, and how often one is found there, beside what could be found at best. */

const entriesMeasured = 2_000;
const answerBytes = [1_000, 10_000];
const alphas = [0.9, 1.1];
/** Parts of what all answers of the trace together would take. */
const shares = [0.005, 0.01, 0.02, 0.05, 0.1];
const requests = 200_000;
const objects = 20_000;

export function measureMemoryOfAnswers(): Fact[] {
  return [...answerBytes.map(heapPerAnswer), ...alphas.flatMap(hitRatios)];
}

/** V8's heap after a collection, per answer that `MemoryAnswers` holds; and what it counts for one. */
function heapPerAnswer(bytes: number): Fact {
  const memory = new MemoryAnswers(2 ** 40, () => 0);
  const before = heapUsed();
  for (let at = 0; at < entriesMeasured; at++) void memory.put({ text: questionOf(at) }, chatOf(at, bytes), 60);
  const heap = (heapUsed() - before) / entriesMeasured;
  const counted = memory.bytes / entriesMeasured;
  const value = `${heap.toFixed(0)} bytes of heap, ${counted.toFixed(0)} counted`;
  return { name: `cache  a kept chat of ${bytes / 1000} kB in memory`, value };
}

function questionOf(at: number): string {
  return `ledge-answer-2|4:acme|4:chat|${"a question of a few hundred characters ".repeat(6)}${at}`;
}

/** In pieces of about five characters, as it is streamed, and as it was read back from JSON. */
function chatOf(at: number, bytes: number): Entry {
  const json = JSON.stringify({
    parts: Array.from({ length: Math.ceil(bytes / 8) }, (_, n) => `w${(at + n) % 1000} `),
  });
  const value: unknown = JSON.parse(json);
  return entryOf(at, value, json.length);
}

function entryOf(at: number, value: unknown, chars: number): Entry {
  const id = at.toString(16).padStart(32, "0");
  return { id, value, chars, etag: `W/"${id}"`, number: 0, createdAtMs: 0, freshUntilMs: 60_000, tags: [] };
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

function hitRatios(alpha: number): Fact[] {
  const trace = traceOf({ alpha, objects, requests, seed: 1 });
  const sizes = trace.sizes.map((chars, at) => sizeOf(at, chars));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return shares.map((share) => {
    const bytesMax = Math.floor(all * share);
    const [ours, lru, best] = [
      hitsOfMemory(trace.asked, trace.sizes, bytesMax),
      leastRecentlyUsed(trace.asked, sizes, bytesMax),
      beladyBySize(trace.asked, sizes, bytesMax),
    ].map((hits) => ((100 * hits) / requests).toFixed(1));
    const name = `cache  Zipf ${alpha}, room for ${(100 * share).toFixed(1)} % (${(bytesMax / 2 ** 20).toFixed(1)} MiB)`;
    return { name, value: `${ours} % hits, LRU ${lru} %, Belady by size ${best} %` };
  });
}

/** As `MemoryAnswers` counts it. */
function sizeOf(at: number, chars: number): number {
  const memory = new MemoryAnswers(2 ** 40, () => 0);
  void memory.put({ text: String(at) }, entryOf(at, null, chars), 60);
  return memory.bytes;
}

function hitsOfMemory(asked: readonly number[], sizes: readonly number[], bytesMax: number): number {
  const memory = new MemoryAnswers(bytesMax, () => 0);
  let hits = 0;
  for (const at of asked) {
    const text = String(at);
    if (memory.find(text) !== undefined) hits++;
    else void memory.put({ text }, entryOf(at, null, sizes[at] ?? 0), 60);
  }
  return hits;
}
