import { type Fault, fail, ok, type Result } from "@ledge/contract";
import {
  arrive,
  type BatchCall,
  type BatchRule,
  emptyLine,
  end,
  type Line,
  leave,
  next,
  rowsOf,
  type Ticket,
} from "@ledge/policy/batching";
import { faultOfCallOff } from "../call-off.ts";
import { BatchFigures, type BatchReport } from "./figures.ts";
import { runApart } from "./run-apart.ts";

export interface BatcherPorts<Item, Answer> {
  /**
   * Runs the items of calls that share a key, and gives one answer each. The signal fires when nobody waits for them any more. A
   * throw is a bug, and everyone's.
   */
  readonly run: (items: readonly Item[], signal: AbortSignal) => Promise<Result<readonly Answer[]>>;
  /** Milliseconds of the deadlines' clock. */
  readonly nowMs: () => number;
  /** Calls back after so many milliseconds, at 0 once what has arrived by then has been read. Returns how to call it off. */
  readonly wakeIn: (ms: number, wake: () => void) => () => void;
}

export interface Submission<Item> extends BatchCall {
  readonly item: Item;
  /** Told when the call's run begins, and how long it waited. */
  readonly begins?: ((queuedMs: number) => void) | undefined;
}

/** What a call gets from the run that it shared. */
export interface Shared<Answer> {
  readonly answer: Answer;
  readonly queueMs: number;
  /** Milliseconds of the whole run. */
  readonly runMs: number;
  /** Rows of the whole run. */
  readonly batchRows: number;
  /** 1 for the first call of a run, 0 for its mates. */
  readonly executions: number;
}

interface Job<Item, Answer> {
  readonly ticket: Ticket;
  readonly submission: Submission<Item>;
  readonly settle: (outcome: Result<Shared<Answer>>) => void;
  readonly reject: (error: unknown) => void;
  /** True once its caller has an answer, or has gone. */
  isSettled: boolean;
  /** The run that it is in, to be called off when all of its callers have gone. */
  run?: { readonly jobs: readonly Job<Item, Answer>[]; readonly course: AbortController };
}

interface Ran<Answer> {
  readonly answer: Answer;
  readonly batchRows: number;
  readonly executions: number;
}

/** Puts calls that wait for one engine into runs that they share. What is decided is `@ledge/policy/batching`'s; here it is done. */
export class Batcher<Item, Answer> implements BatchReport {
  readonly rule: BatchRule;
  readonly figures = new BatchFigures();
  readonly #ports: BatcherPorts<Item, Answer>;
  readonly #jobs = new Map<number, Job<Item, Answer>>();
  #line: Line = emptyLine;
  #running = 0;
  #look: (() => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(rule: BatchRule, ports: BatcherPorts<Item, Answer>) {
    this.rule = rule;
    this.#ports = ports;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#line.waiting.length;
  }

  /**
   * Waits for a place in a run, and runs. Faults: `overloaded` when the line is full, with the time to come back;
   * `deadline_exceeded` when the answer could not come in time; the reason of the signal when it fires; and what the run says. Throws
   * what the run threw.
   */
  submit(submission: Submission<Item>, signal: AbortSignal): Promise<Result<Shared<Answer>>> {
    if (signal.aborted) return Promise.resolve({ ok: false, fault: faultOfCallOff(signal) });
    const { item: _item, begins: _begins, ...call } = submission;
    const [arrival, line] = arrive(this.rule, this.#line, call, this.#ports.nowMs());
    this.#line = line;
    if (arrival.kind === "late") return Promise.resolve(this.#late());
    if (arrival.kind === "full") return Promise.resolve(this.#full(arrival.retryAfterMs));
    const { ticket, pushedOut } = arrival;
    if (pushedOut !== undefined) this.#jobs.get(pushedOut.ticket.id)?.settle(this.#full(pushedOut.retryAfterMs));
    return new Promise((resolve, reject) => {
      const close = () => {
        job.isSettled = true;
        this.#jobs.delete(ticket.id);
        signal.removeEventListener("abort", giveUp);
      };
      const job: Job<Item, Answer> = {
        ticket,
        submission,
        isSettled: false,
        settle: (outcome) => {
          close();
          resolve(outcome);
        },
        reject: (error) => {
          close();
          reject(error);
        },
      };
      const giveUp = () => this.#giveUp(job, signal);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#jobs.set(ticket.id, job);
      this.#lookSoon();
    });
  }

  #giveUp(job: Job<Item, Answer>, signal: AbortSignal): void {
    this.#line = leave(this.#line, job.ticket.id);
    job.settle({ ok: false, fault: faultOfCallOff(signal) });
    if (job.run?.jobs.every(({ isSettled }) => isSettled)) job.run.course.abort(signal.reason);
  }

  /** Once calls that have already reached the process are in. While the engine is busy, the end of a run looks. */
  #lookSoon(): void {
    if (this.#line.running.length >= this.rule.runningMax) return;
    this.#look ??= this.#ports.wakeIn(0, () => {
      this.#look = undefined;
      this.#lookNow();
    });
  }

  #lookNow(): void {
    this.#wake?.();
    this.#wake = undefined;
    for (;;) {
      const nowMs = this.#ports.nowMs();
      const [step, late, line] = next(this.rule, this.#line, nowMs);
      this.#line = line;
      for (const { id } of late) this.#jobs.get(id)?.settle(this.#late());
      if (step.kind === "run") void this.#run(step.run, step.batch, nowMs);
      else {
        if (step.kind === "wait") this.#wake = this.#ports.wakeIn(step.untilMs - nowMs, () => this.#lookNow());
        return;
      }
    }
  }

  async #run(run: number, batch: readonly Ticket[], startedMs: number): Promise<void> {
    const jobs = batch.flatMap(({ id }) => this.#jobs.get(id) ?? []);
    const course = new AbortController();
    this.#running += jobs.length;
    for (const job of jobs) {
      job.run = { jobs, course };
      const queuedMs = startedMs - job.ticket.arrivedMs;
      this.figures.queueS.observe(queuedMs / 1000);
      job.submission.begins?.(queuedMs);
    }
    try {
      const outcomes = await runApart(jobs, (some) => this.#runOnce(some, course.signal), isWanted);
      const isWhole = outcomes.every(([, { ok }]) => ok);
      const runMs = this.#ended(run, jobs.length, isWhole ? batch : undefined) - startedMs;
      if (this.#running > 0) await this.#turn();
      for (const [job, outcome] of outcomes) {
        if (job.isSettled) continue;
        const queueMs = startedMs - job.ticket.arrivedMs;
        job.settle(outcome.ok ? ok({ ...outcome.value, queueMs, runMs }) : outcome);
      }
    } catch (error) {
      this.#ended(run, jobs.length, undefined);
      for (const job of jobs) if (!job.isSettled) job.reject(error);
    }
  }

  /** Until what has been begun is with the engine: answers are written while it works, not before. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#ports.wakeIn(0, resolve));
  }

  /** Begins the next run first. */
  #ended(run: number, calls: number, batch: readonly Ticket[] | undefined): number {
    const nowMs = this.#ports.nowMs();
    this.#running -= calls;
    this.#line = end(this.#line, run, batch, nowMs);
    this.#lookNow();
    return nowMs;
  }

  async #runOnce(jobs: readonly Job<Item, Answer>[], signal: AbortSignal): Promise<Result<readonly Ran<Answer>[]>> {
    const batchRows = rowsOf(jobs.map(({ ticket }) => ticket));
    this.figures.rows.observe(batchRows);
    const items = jobs.map(({ submission }) => submission.item);
    const answers = await this.#ports.run(items, signal);
    if (!answers.ok) return answers;
    return ok(answers.value.map((answer, at) => ({ answer, batchRows, executions: at === 0 ? 1 : 0 })));
  }

  #full(retryAfterMs: number): Result<never> {
    this.figures.refused.full += 1;
    return fail("overloaded", { retryAfterMs });
  }

  #late(): Result<never> {
    this.figures.refused.late += 1;
    return { ok: false, fault: tooLate };
  }
}

const tooLate: Fault = { code: "deadline_exceeded", detail: "The answer could not come in time, so it was not begun." };

function isWanted({ isSettled }: { readonly isSettled: boolean }): boolean {
  return !isSettled;
}

/** {@link BatcherPorts.wakeIn} of a Node process. */
export function wakeIn(ms: number, wake: () => void): () => void {
  // A timer's least is a millisecond: a shorter wait goes through the event loop until it is over.
  if (ms < 1) {
    const immediate = setImmediate(wake);
    return () => clearImmediate(immediate);
  }
  const timer = setTimeout(wake, ms);
  return () => clearTimeout(timer);
}
