import { quantile } from "../bench/statistics.ts";
import type { Call } from "./callers.ts";
import type { Sent } from "./requests.ts";

/** What happened to a set of calls. */
export interface Tally {
  readonly calls: number;
  readonly right: number;
  /** Failures that said so, by code. */
  readonly told: Readonly<Record<string, number>>;
  readonly wrong: number;
  readonly duplicated: number;
  readonly silent: number;
  /** Of the right answers, to their last byte; NaN where there are none. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Amplification {
  /** Requests that origins were sent, without hedges. */
  readonly requests: number;
  /** Second requests that were sent because the first took long, and not because it failed. */
  readonly hedges: number;
  /** Calls that they were for. */
  readonly calls: number;
}

/** One fault at one target. Times are milliseconds. */
export interface Figures {
  readonly name: string;
  readonly calm: Tally;
  /** Calls under way at any moment of the fault. */
  readonly during: Tally;
  /** Calls that began when it was over. */
  readonly after: Tally;
  /** From its begin until the last failure, where calls succeeded again while it lasted; NaN where they did not. */
  readonly failoverMs: number;
  /** From its end until the last failure, and until who had failed answers again; NaN where that did not come. */
  readonly recoveryMs: number;
  readonly sent: Amplification;
}

export function tallyOf(calls: readonly Call[]): Tally {
  const of = (verdict: Call["verdict"]) => calls.filter((call) => call.verdict === verdict);
  const told: Record<string, number> = {};
  for (const { code = "" } of of("told")) told[code] = (told[code] ?? 0) + 1;
  const ms = of("right")
    .map(({ startedMs, endedMs }) => endedMs - startedMs)
    .sort((a, b) => a - b);
  return {
    calls: calls.length,
    right: of("right").length,
    told,
    wrong: of("wrong").length,
    duplicated: of("duplicated").length,
    silent: of("silent").length,
    p50Ms: quantile(ms, 0.5),
    p99Ms: quantile(ms, 0.99),
  };
}

export interface Spell {
  readonly beganMs: number;
  readonly endedMs: number;
  /** When the watch over the time after it ended. */
  readonly watchedMs: number;
}

/** Calls that began before the fault and were over when it came; those it met; those that began after it. */
export function dealt(calls: readonly Call[], { beganMs, endedMs }: Spell) {
  return {
    calm: calls.filter((call) => call.endedMs < beganMs),
    during: calls.filter((call) => call.endedMs >= beganMs && call.startedMs < endedMs),
    after: calls.filter((call) => call.startedMs >= endedMs),
  };
}

/** The last part of a fault in which nothing may fail for it to count as survived. */
const survivedShare = 1 / 3;

/** See {@link Figures}. A third of the fault without a failure is survival. */
export function failoverMsOf(calls: readonly Call[], { beganMs, endedMs }: Spell): number {
  const failures = dealt(calls, { beganMs, endedMs, watchedMs: endedMs }).during.filter(isFailure);
  const lastMs = Math.max(beganMs, ...failures.map((call) => call.endedMs));
  return lastMs <= endedMs - survivedShare * (endedMs - beganMs) ? lastMs - beganMs : Number.NaN;
}

/**
 * When everything is well again: the end of the last failure after the fault, and the end of the first right answer of who
 * `isBack` names. NaN while that has not come.
 */
export function recoveryMsOf(calls: readonly Call[], { endedMs }: Spell, isBack: (call: Call) => boolean): number {
  const failures = calls.filter((call) => isFailure(call) && call.endedMs >= endedMs);
  const firstBack = calls.find((call) => call.startedMs >= endedMs && call.verdict === "right" && isBack(call));
  if (firstBack === undefined) return Number.NaN;
  return Math.max(firstBack.endedMs, ...failures.map((call) => call.endedMs)) - endedMs;
}

export function isFailure({ verdict }: Call): boolean {
  return verdict !== "right";
}

/** @param sent what each call became, by its id: calls that reached no origin are not in it, and do not count */
export function amplificationOf(calls: readonly Call[], sent: ReadonlyMap<string, Sent>): Amplification {
  const counts = calls.flatMap(({ id }) => sent.get(id) ?? []);
  const hedges = counts.reduce((sum, one) => sum + one.hedges, 0);
  return { calls: counts.length, hedges, requests: counts.reduce((sum, one) => sum + one.requests, 0) - hedges };
}

/** Over several faults. */
export function sumOf(parts: readonly Amplification[]): Amplification {
  const sum = (of: (part: Amplification) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    calls: sum(({ calls }) => calls),
    hedges: sum(({ hedges }) => hedges),
    requests: sum(({ requests }) => requests),
  };
}

/** Requests for each call, hedges apart; 1 where there were no calls. */
export function ratioOf({ requests, calls }: Amplification): number {
  return calls === 0 ? 1 : requests / calls;
}
