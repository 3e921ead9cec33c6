import { quantile } from "../bench/statistics.ts";
import type { Call } from "./callers.ts";

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
  /** Requests that origins were sent. */
  readonly requests: number;
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
  /** Of calls that are never hedged, and of those that are. */
  readonly chats: Amplification;
  readonly tensors: Amplification;
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

/** @param requests of each call, by its id */
export function amplificationOf(
  calls: readonly Call[],
  requests: ReadonlyMap<string, number>,
): Pick<Figures, "chats" | "tensors"> {
  const of = (isTensors: boolean): Amplification => {
    const counts = calls
      .filter(({ kind }) => (kind === "tensors") === isTensors)
      .flatMap(({ id }) => requests.get(id) ?? []);
    return { requests: counts.reduce((sum, count) => sum + count, 0), calls: counts.length };
  };
  return { chats: of(false), tensors: of(true) };
}

/** Over several faults: requests for each call that reached an origin; 1 where none did. */
export function ratioOf(...parts: readonly Amplification[]): number {
  const [requests, calls] = [
    parts.reduce((sum, part) => sum + part.requests, 0),
    parts.reduce((sum, part) => sum + part.calls, 0),
  ];
  return calls === 0 ? 1 : requests / calls;
}
