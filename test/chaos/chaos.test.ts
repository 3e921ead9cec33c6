import { beforeAll, expect, test } from "vitest";
import { type Figures, sumOf } from "../../scripts/chaos/figures.ts";
import { type Case, runSuite } from "../../scripts/chaos/suite.ts";
import { startWorld } from "../../scripts/chaos/world.ts";
import { hasPython } from "../../scripts/python-venv.ts";

/**
 * Every fault once, for a moment, while the other origin is well: a short run of `npm run chaos`, which measures at length. The engine
 * is KServe where there is a Python; else there are chats alone, which the origins' own engine answers.
 */

const cases: readonly Case[] = [
  { fault: "kill", target: "near-1" },
  { fault: "freeze", target: "near-1" },
  { fault: "slow", target: "near-1" },
  { fault: "half-close", target: "near-1" },
  { fault: "reset", target: "near-1" },
  { fault: "blackhole", target: "near-1" },
  { fault: "reset", target: "near-engine" },
  { fault: "drop", target: "near-engine" },
  { fault: "kill", target: "engine" },
  { fault: "flood", target: "edge" },
];
const seed = 1;
/** What the budget of retries has before any call (docs/resilience.md). */
const retriesFirst = 10;

let all: readonly Figures[] = [];
const odd: string[] = [];

beforeAll(async () => {
  const world = await startWorld({ seed, engine: await hasPython(), say: () => undefined });
  try {
    all = await runSuite({
      world,
      seed,
      callers: 6,
      floodCallers: 60,
      rhythm: { calmMs: 700, faultMs: 1_500, wellMs: 700, recoverMsMax: 60_000 },
      cases,
      randomMs: 0,
      say: (line) => odd.push(line),
      signal: new AbortController().signal,
    });
  } finally {
    await world.close();
  }
}, 600_000);

test("no fault makes an answer wrong, says a part of one twice, or ends one without saying that it failed", () => {
  const counts = all.flatMap(({ calm, during, after }) =>
    [calm, during, after].map(({ wrong, duplicated, silent }) => wrong + duplicated + silent),
  );
  expect([counts.filter((count) => count > 0), odd.filter((line) => /^[A-Z]+:/.test(line))]).toEqual([[], []]);
});

test("every fault is recovered from: calls succeed, and who failed answers again", () => {
  expect(all.length).toBeGreaterThanOrEqual(7);
  expect(all.filter(({ recoveryMs }) => Number.isNaN(recoveryMs)).map(({ name }) => name)).toEqual([]);
});

test("while one of two origins fails, most calls are right at the first try; what is not is a stream that it had begun", () => {
  const near = all.filter(({ name }) => name.endsWith("near-1"));
  const [right, calls] = [
    near.reduce((sum, { during }) => sum + during.right, 0),
    near.reduce((sum, { during }) => sum + during.calls, 0),
  ];
  expect(near.length).toBe(6);
  expect(right / calls).toBeGreaterThan(0.6);
});

test("whatever fails, retries are a tenth of the calls at most and hedges a twentieth, but for the few retries that there are from the start", () => {
  const { requests, hedges, calls } = sumOf(all.map(({ sent }) => sent));
  expect(calls).toBeGreaterThan(0);
  expect(requests + hedges).toBeLessThanOrEqual(1.15 * calls + retriesFirst);
});
