import { type BatchCall, type BatchRule, cellsOf, rowsOf, type Ticket } from "./call.ts";
import { type Experience, hopedSavingMs, learnArrival, learnRun, noExperience, takesMs } from "./experience.ts";
import { formBatch } from "./form.ts";
import { promise } from "./shed.ts";
import { staggered } from "./stagger.ts";

interface Running {
  readonly id: number;
  readonly startedMs: number;
  /** By what runs took lately. */
  readonly endsMs: number;
}

/**
 * The line before one engine: who waits, who shares the next run and when it starts, who is refused. Pure: whoever uses it holds the
 * state, the clock and the work. Times are milliseconds of one clock, the deadlines' own.
 *
 * The edge has a queue of its own (`fairness/queue.ts`), which deals shares among tenants; this one goes by urgency.
 */
export interface Line {
  readonly nextId: number;
  /** In the order of arrival. */
  readonly waiting: readonly Ticket[];
  readonly running: readonly Running[];
  /** Runs begun since one had the call in it that had waited longest. */
  readonly sinceOldest: number;
  readonly experience: Experience;
}

export const emptyLine: Line = { nextId: 1, waiting: [], running: [], sinceOldest: 0, experience: noExperience };

/**
 * After an engine has ended no run for so long, what runs took counts no more against a deadline: a call is let through to see what
 * they take now.
 */
export const doubtAfterMs = 1_000;

export type Arrival =
  | {
      readonly kind: "waits";
      readonly ticket: Ticket;
      /** Less urgent, of a full line: refused in its place, with the time to come back. */
      readonly pushedOut?: { readonly ticket: Ticket; readonly retryAfterMs: number };
    }
  /** The line is full of calls that are as urgent. */
  | { readonly kind: "full"; readonly retryAfterMs: number }
  /** Even as the next one it would not be answered in time. */
  | { readonly kind: "late" };

/** Lets a call into the line or refuses it. A refusal leaves the line as it was, but for what it learns of the load. */
export function arrive(rule: BatchRule, line: Line, call: BatchCall, nowMs: number): [Arrival, Line] {
  const learned = { ...line, experience: learnArrival(line.experience, nowMs) };
  if (isLate(rule, learned, call, nowMs)) return [{ kind: "late" }, learned];
  const ticket: Ticket = { ...call, id: line.nextId, arrivedMs: nowMs };
  const entered = { ...learned, nextId: line.nextId + 1, waiting: [...line.waiting, ticket] };
  if (line.waiting.length < rule.waitingMax) return [{ kind: "waits", ticket }, entered];
  const [retryAfterMs, experience] = promise(rule, learned, nowMs);
  const out = leastUrgent(line.waiting, call.priority);
  if (out === undefined)
    return [
      { kind: "full", retryAfterMs },
      { ...learned, experience },
    ];
  const waiting = entered.waiting.filter((each) => each !== out);
  return [
    { kind: "waits", ticket, pushedOut: { ticket: out, retryAfterMs } },
    { ...entered, waiting, experience },
  ];
}

/** The newest of those that are least urgent and less so than `priority`. */
function leastUrgent(waiting: readonly Ticket[], priority: number): Ticket | undefined {
  const worst = waiting.reduce((most, ticket) => Math.max(most, ticket.priority), 0);
  return worst > priority ? waiting.findLast((ticket) => ticket.priority === worst) : undefined;
}

/** Takes a caller who has gone out of the line. One whose run has begun is not in it any more. */
export function leave(line: Line, id: number): Line {
  return { ...line, waiting: line.waiting.filter((ticket) => ticket.id !== id) };
}

export type Step =
  | { readonly kind: "run"; readonly run: number; readonly batch: readonly Ticket[] }
  /** Ask again then, or when a call comes. */
  | { readonly kind: "wait"; readonly untilMs: number }
  /** Ask again when a call comes or a run ends. */
  | { readonly kind: "rest" };

/** What to do now, and who cannot be answered in time any more. After a run is begun there may be more to do. */
export function next(rule: BatchRule, line: Line, nowMs: number): [Step, readonly Ticket[], Line] {
  const late = line.waiting.filter((ticket) => isLate(rule, line, ticket, nowMs));
  const live = late.length === 0 ? line : { ...line, waiting: without(line.waiting, late) };
  if (live.waiting.length === 0 || live.running.length >= rule.runningMax) return [{ kind: "rest" }, late, live];
  const most = formBatch(rule, live, nowMs);
  const untilMs = waitUntil(rule, live, most);
  if (untilMs > nowMs) return [{ kind: "wait", untilMs }, late, live];
  const batch = staggered(rule, live, most, nowMs);
  const run = live.nextId;
  const endsMs = nowMs + takesMs(live.experience, cellsOf(batch));
  const begun: Line = {
    ...live,
    nextId: run + 1,
    waiting: without(live.waiting, batch),
    running: [...live.running, { id: run, startedMs: nowMs, endsMs }],
    sinceOldest: batch.some(({ id }) => id === live.waiting[0]?.id) ? 0 : live.sinceOldest + 1,
  };
  return [{ kind: "run", run, batch }, late, begun];
}

function without(waiting: readonly Ticket[], taken: readonly Ticket[]): readonly Ticket[] {
  const gone = new Set(taken);
  return waiting.filter((ticket) => !gone.has(ticket));
}

/** A run has ended. `batch` as it was begun; absent when it says nothing of what runs take, because it failed. */
export function end(line: Line, run: number, batch: readonly Ticket[] | undefined, nowMs: number): Line {
  const ended = line.running.find(({ id }) => id === run);
  const running = line.running.filter((each) => each !== ended);
  if (ended === undefined || batch === undefined) return { ...line, running };
  return {
    ...line,
    running,
    experience: learnRun(line.experience, cellsOf(batch), batch.length, ended.startedMs, nowMs),
  };
}

/** Whether a call would miss its deadline even if it led the next run, alone. */
function isLate(rule: BatchRule, { running, experience }: Line, call: BatchCall, nowMs: number): boolean {
  if (call.deadlineMs <= nowMs) return true;
  const isKnown = nowMs - experience.endedMs < doubtAfterMs;
  if (!isKnown) return false;
  const isFree = running.length < rule.runningMax;
  const startsMs = isFree ? nowMs : Math.max(nowMs, Math.min(...running.map(({ endsMs }) => endsMs)));
  return call.deadlineMs < startsMs + takesMs(experience, cellsOf([call]));
}

/** Until when a batch waits for mates: not at all when it is full, when others wait besides, or when none are worth it. */
function waitUntil(rule: BatchRule, { waiting, experience }: Line, batch: readonly Ticket[]): number {
  const rows = rowsOf(batch);
  const most = Math.min(rule.preferredRows.at(-1) ?? rule.rowsMax, rule.rowsMax);
  const isFull = rows >= most || rule.preferredRows.includes(rows);
  if (batch[0]?.key === undefined || isFull || waiting.length > batch.length) return 0;
  const sinceMs = Math.max(experience.endedMs, Math.min(...batch.map((ticket) => ticket.arrivedMs)));
  const tightestMs = Math.min(...batch.map(({ deadlineMs }) => deadlineMs)) - 2 * takesMs(experience, cellsOf(batch));
  const wantedMs = Math.max(crowdMs(rule, experience, batch), returnsMs(rule, experience, batch));
  return Math.min(sinceMs + rule.delayMsMax, wantedMs, tightestMs);
}

/**
 * Until when others are likely to come because calls come close together. Each of n calls loses the time to the next arrival; what
 * the next one saves by not running alone is the part of a run's time that does not grow with it. So it is waited for while n × the
 * usual gap is less than that: where calls are sparse, or the engine's time grows with every row, never. Preferred sizes say that
 * waiting pays, so long as mates are likely to come in time.
 */
function crowdMs({ preferredRows, delayMsMax }: BatchRule, experience: Experience, batch: readonly Ticket[]): number {
  const { gapMs, arrivedMs } = experience;
  if (preferredRows.length > 0 && gapMs < delayMsMax) return arrivedMs + delayMsMax;
  return gapMs * batch.length < hopedSavingMs(experience) ? arrivedMs + gapsWaited * gapMs : 0;
}

/**
 * Until when those whom the last run answered are likely to ask again. Without this, callers who ask at once split into groups that
 * take turns, and a run is paid for each. The engine stands still for less than half of that run's fixed part, and those who wait lose less than
 * the others would by waiting for a run more.
 */
function returnsMs({ delayMsMax }: BatchRule, experience: Experience, batch: readonly Ticket[]): number {
  const { returns, returned, endedMs } = experience;
  const toCome = returns.count - returned.count;
  const waitMs = returnsPatience * returns.afterMs;
  if (toCome < someReturn || waitMs > Math.min(hopedSavingMs(experience) / 2, delayMsMax)) return 0;
  const runMs = takesMs(experience, cellsOf(batch));
  return toCome * runMs > batch.length * waitMs ? endedMs + waitMs : 0;
}

/** Of the usual time until the last of them is back. */
const returnsPatience = 1.25;
/** Fewer are not waited for. */
const someReturn = 0.5;
/** Usual gaps after which nobody more is expected. */
const gapsWaited = 3;
