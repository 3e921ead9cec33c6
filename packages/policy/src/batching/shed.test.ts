import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arrive, type BatchRule, cellsOf, emptyLine, end, type Line, next, type Ticket } from "./index.ts";

const rule: BatchRule = {
  rowsMax: 8,
  cellsMax: 1_000,
  paddingMax: 0.25,
  preferredRows: [],
  delayMsMax: 5,
  waitingMax: 32,
  runningMax: 1,
};

/** What happens, in time: a call for the first time, one that was told to come back, or the end of a run. */
type Due =
  | { readonly atMs: number; readonly kind: "call" | "return" }
  | { readonly atMs: number; readonly kind: "end"; readonly run: number; readonly batch: readonly Ticket[] };

/** Plays calls against a line whose runs take `runMs`, each refused one coming back when it was told to. What became of those. */
function play(calls: readonly number[], runMs: (cells: number) => number) {
  let line: Line = emptyLine;
  const due: Due[] = [];
  const coming = calls.toSorted((a, b) => a - b);
  let came = 0;
  const found = { refused: 0, letIn: 0, refusedAgain: 0, longestMs: 0 };
  const ask = (kind: "call" | "return", nowMs: number) => {
    const call = { rows: 1, length: 10, key: "a", priority: 1, deadlineMs: 1e9 };
    const [arrival, after] = arrive(rule, line, call, nowMs);
    line = after;
    if (arrival.kind === "full") {
      if (kind === "return") found.refusedAgain++;
      else found.refused++;
      found.longestMs = Math.max(found.longestMs, arrival.retryAfterMs);
      due.push({ atMs: nowMs + arrival.retryAfterMs, kind: "return" });
    } else if (kind === "return") found.letIn++;
  };
  for (;;) {
    const first = due.reduce<Due | undefined>(
      (best, one) => (best === undefined || one.atMs < best.atMs ? one : best),
      undefined,
    );
    const atMs = coming[came] ?? Number.POSITIVE_INFINITY;
    if (first === undefined && came === coming.length) return found;
    const isCall = first === undefined || atMs < first.atMs;
    const now: Due = isCall ? { atMs, kind: "call" } : first;
    if (isCall) came++;
    else due.splice(due.indexOf(first), 1);
    if (now.kind === "end") line = end(line, now.run, now.batch, now.atMs);
    else ask(now.kind, now.atMs);
    for (let isDone = false; !isDone; ) {
      const [step, , after] = next(rule, line, now.atMs);
      line = after;
      isDone = step.kind !== "run";
      // Nobody waits for mates longer than for the next call, which asks again.
      if (step.kind === "run") {
        const atMs = now.atMs + runMs(cellsOf(step.batch));
        due.push({ atMs, kind: "end", run: step.run, batch: step.batch });
      }
    }
  }
}

/** Calls at a steady pace of so many a millisecond. */
const steady = (perMs: number, forMs: number) =>
  Array.from({ length: Math.floor(perMs * forMs) }, (_, at) => at / perMs);
/** Eight calls in 10 ms: 0.8 a millisecond at most. */
const runMs = (cells: number) => 2 + cells / 10;
const capacity = 0.8;

describe("a caller who is refused", () => {
  test("is let in when it comes back at the time it was told, under a steady load and after a crowd of any size the line can hold", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.75, noNaN: true }),
        fc.integer({ min: 1, max: rule.waitingMax }),
        (load, over) => {
          const crowd = Array.from({ length: rule.waitingMax + 8 + over }, () => 3_000.5);
          const { refused, letIn, refusedAgain } = play([...steady(load * capacity, 6_000), ...crowd], runMs);
          expect(refused).toBeGreaterThan(0);
          expect(letIn).toBe(refused);
          expect(refusedAgain).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("is not sent away for longer than it takes to find room", () => {
    const crowd = Array.from({ length: rule.waitingMax + 8 + 20 }, () => 3_000.5);
    const { longestMs } = play([...steady(0.5 * capacity, 6_000), ...crowd], runMs);
    // A line of 32 is answered in 80 ms when half of the engine is free; of 20 who were refused each waits for those before it.
    expect(longestMs).toBeLessThan(200);
  });

  test("is told a second by an engine that has answered nobody yet", () => {
    let line: Line = emptyLine;
    let retryAfterMs = 0;
    for (let i = 0; i < rule.waitingMax + 1; i++) {
      const call = { rows: 1, length: 1, key: "a", priority: 1, deadlineMs: 1e9 };
      const [arrival, after] = arrive(rule, line, call, 0);
      line = after;
      if (arrival.kind === "full") retryAfterMs = arrival.retryAfterMs;
    }
    expect(retryAfterMs).toBe(1_000);
  });

  test("is not kept away for good by others who come back too early", () => {
    const crowd = Array.from({ length: 1_000 }, (_, at) => 1_000 + at / 20);
    const { longestMs } = play(
      [...steady(0.2, 1_000), ...crowd, ...steady(0.2, 3_000).map((atMs) => 3_000 + atMs)],
      runMs,
    );
    // Of an engine that has only run calls alone (3 ms) a tenth is the least that is taken to be free, and a line the most that is promised.
    expect(longestMs).toBeLessThanOrEqual(Math.ceil((1.25 * rule.waitingMax + 1) * 3 * 10) + 1);
  });
});
