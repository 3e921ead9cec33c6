import {
  arrive,
  type BatchCall,
  type BatchRule,
  cellsOf,
  emptyLine,
  end,
  type Line,
  leave,
  next,
  type Ticket,
} from "@ledge/policy/batching";

export const rule: BatchRule = {
  rowsMax: 8,
  cellsMax: 1_000,
  paddingMax: 0.25,
  preferredRows: [],
  delayMsMax: 5,
  waitingMax: 64,
  runningMax: 1,
};
export const far = 1e9;
const call: BatchCall = { rows: 1, length: 10, key: "a", priority: 1, deadlineMs: far };

/** A line under a clock of its own, with an engine whose runs take what `runMs` says. */
export class World {
  line: Line = emptyLine;
  nowMs = 1_000;
  readonly batches: (readonly Ticket[])[] = [];
  readonly late: Ticket[] = [];
  readonly pushedOut: Ticket[] = [];
  readonly running: { readonly run: number; readonly batch: readonly Ticket[]; readonly endsMs: number }[] = [];
  readonly rule: BatchRule;
  readonly runMs: (cells: number) => number;
  wakeMs = Number.POSITIVE_INFINITY;

  constructor(more: Partial<BatchRule> = {}, runMs: (cells: number) => number = (cells) => 2 + cells / 10) {
    this.rule = { ...rule, ...more };
    this.runMs = runMs;
  }

  arrive(more: Partial<BatchCall> = {}) {
    const [arrival, line] = arrive(this.rule, this.line, { ...call, ...more }, this.nowMs);
    this.line = line;
    if (arrival.kind === "waits" && arrival.pushedOut !== undefined) this.pushedOut.push(arrival.pushedOut.ticket);
    return arrival;
  }

  leave(id: number) {
    this.line = leave(this.line, id);
  }

  pump() {
    this.wakeMs = Number.POSITIVE_INFINITY;
    for (;;) {
      const [step, late, line] = next(this.rule, this.line, this.nowMs);
      this.line = line;
      this.late.push(...late);
      if (step.kind === "wait") this.wakeMs = step.untilMs;
      if (step.kind !== "run") return step;
      this.batches.push(step.batch);
      this.running.push({ run: step.run, batch: step.batch, endsMs: this.nowMs + this.runMs(cellsOf(step.batch)) });
    }
  }

  /** Lets time pass, ending runs and waking the line in their order. */
  pass(ms: number) {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const first = this.running.toSorted((a, b) => a.endsMs - b.endsMs)[0];
      const at = Math.min(first?.endsMs ?? Number.POSITIVE_INFINITY, this.wakeMs);
      if (at > untilMs) break;
      this.nowMs = Math.max(this.nowMs, at);
      if (first !== undefined && first.endsMs <= this.nowMs) {
        this.running.splice(this.running.indexOf(first), 1);
        this.line = end(this.line, first.run, first.batch, this.nowMs);
      }
      this.pump();
    }
    this.nowMs = untilMs;
  }

  /** Begins a run of 3 ms that nobody shares. */
  occupy() {
    this.arrive({ key: undefined });
    this.pump();
    this.batches.length = 0;
  }

  /** Has seen that a run takes 2 ms and 0.1 ms more a cell. */
  learn() {
    for (const rows of [1, 8, 2, 4, 6]) {
      for (let i = 0; i < rows; i++) this.arrive();
      this.pump();
      this.pass(50);
    }
    this.batches.length = 0;
    return this;
  }
}
