import { arrive, type BatchRule, emptyLine, end, type Line, next, rowsOf, type Ticket } from "@ledge/policy/batching";
import { randomOf } from "./random.ts";

/** Callers and an engine on virtual time, by the rule that runs: what a wait for mates gains and costs, the same on every machine. */
export interface BatchScenario {
  /** Milliseconds of a run, whatever its rows, and of each row. */
  readonly runMs: number;
  readonly rowMs: number;
  /** Callers who ask again when they are answered, after a pause of this mean. */
  readonly callers: number;
  readonly pauseMs: number;
  /**
   * What one thread, beside the engine's, takes for a call: to write its answer and read what its caller asks next. Callers of a run are
   * back together.
   */
  readonly turnMs?: number;
  readonly rule: Pick<BatchRule, "delayMsMax" | "preferredRows">;
  readonly calls: number;
}

export interface BatchResult {
  readonly callsPerSecond: number;
  readonly p99Ms: number;
  readonly rowsPerRun: number;
}

type Due =
  | { readonly atMs: number; readonly kind: "call" }
  | { readonly atMs: number; readonly kind: "end"; readonly run: number; readonly batch: readonly Ticket[] };

export function simulateBatching({
  runMs,
  rowMs,
  callers,
  pauseMs,
  turnMs = 0,
  rule,
  calls,
}: BatchScenario): BatchResult {
  const random = randomOf(1);
  const pause = () => -Math.log(1 - random()) * pauseMs;
  const whole: BatchRule = { rowsMax: 32, cellsMax: 1e6, paddingMax: 0.5, waitingMax: 1_000, runningMax: 1, ...rule };
  const due: Due[] = Array.from({ length: callers }, () => ({ atMs: pause(), kind: "call" }));
  const tookMs: number[] = [];
  let line: Line = emptyLine;
  let [nowMs, threadMs, runs, rows, wakeMs] = [0, 0, 0, 0, Number.POSITIVE_INFINITY];
  const look = () => {
    for (;;) {
      const [step, , after] = next(whole, line, nowMs);
      line = after;
      wakeMs = step.kind === "wait" ? step.untilMs : Number.POSITIVE_INFINITY;
      if (step.kind !== "run") return;
      runs++;
      rows += rowsOf(step.batch);
      due.push({ atMs: nowMs + runMs + rowMs * rowsOf(step.batch), kind: "end", run: step.run, batch: step.batch });
    }
  };
  while (tookMs.length < calls) {
    const first = due.toSorted((a, b) => a.atMs - b.atMs)[0];
    nowMs = Math.min(first?.atMs ?? Number.POSITIVE_INFINITY, wakeMs);
    if (first === undefined || first.atMs > wakeMs) {
      look();
      continue;
    }
    due.splice(due.indexOf(first), 1);
    if (first.kind === "call") {
      const call = { rows: 1, length: 1, key: "", priority: 1, deadlineMs: Number.POSITIVE_INFINITY };
      line = arrive(whole, line, call, nowMs)[1];
    } else {
      line = end(line, first.run, first.batch, nowMs);
      threadMs = Math.max(threadMs, nowMs) + turnMs * first.batch.length;
      for (const { arrivedMs } of first.batch) {
        tookMs.push(nowMs - arrivedMs);
        due.push({ atMs: threadMs + pause(), kind: "call" });
      }
    }
    look();
  }
  const sorted = tookMs.toSorted((a, b) => a - b);
  return {
    callsPerSecond: (tookMs.length * 1000) / nowMs,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    rowsPerRun: rows / runs,
  };
}
