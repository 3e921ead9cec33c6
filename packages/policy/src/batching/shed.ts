import { type BatchRule, cellsOf, rowsOf } from "./call.ts";
import { arrivalRate, type Experience } from "./experience.ts";
import type { Line } from "./line.ts";

/** Before anything is known of an engine. */
const retryMsFirst = 1_000;
/** Load that is left out of account: what is free of an engine is never taken to be less than a tenth. */
const loadMax = 0.9;
/** Of the line that must be free when a caller comes back: others come in fits and starts. */
const roomShare = 0.25;
/** Waiting calls that are looked at to tell what the next runs are like. */
const sample = 64;

/**
 * When a caller who is refused now finds room. Room is made at the pace at which calls are answered, less that at which others come,
 * and those who were refused before have it first: they are asked to come back one after the other. No more than a line of them counts,
 * so callers who do not wait cannot push that time out for good.
 */
export function promise(rule: BatchRule, line: Line, nowMs: number): [number, Experience] {
  const { experience, waiting } = line;
  const drain = drainRate(rule, line);
  if (drain === undefined) return [retryMsFirst, experience];
  const load = Math.min(loadMax, arrivalRate(experience, nowMs) / drain);
  const perCallMs = 1 / (drain * (1 - load));
  const firstMs = nowMs + (waiting.length * roomShare + 1) * perCallMs;
  const lastMs = firstMs + rule.waitingMax * perCallMs;
  const promisedMs = Math.min(lastMs, Math.max(firstMs, experience.promisedMs + perCallMs));
  return [Math.ceil(promisedMs - nowMs), { ...experience, promisedMs }];
}

/** Calls answered per millisecond, if runs of those that wait take what runs took lately; undefined before the first run. */
function drainRate({ rowsMax, cellsMax, runningMax }: BatchRule, { experience, waiting }: Line): number | undefined {
  const some = waiting.slice(0, sample);
  if (experience.cost === undefined || some.length === 0) return undefined;
  const cells = some.reduce((sum, ticket) => sum + cellsOf([ticket]), 0) / some.length;
  const calls = Math.max(1, Math.min((rowsMax * some.length) / rowsOf(some), cellsMax / cells));
  // While it is not known what size costs, all of it: to come back too late is better than in vain.
  const runMs = experience.cost.fixedMs + experience.cost.perCellMs * calls * cells;
  return (calls * runningMax) / Math.max(0.001, runMs);
}
