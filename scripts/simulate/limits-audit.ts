import type { Limits } from "@ledge/contract";
import { type Amounts, type Measure, measuresIn } from "@ledge/policy";

/** Counts what was admitted anew, from the moments alone, knowing nothing of how it was decided. */

/** A call that was admitted: when, what it used, and until when it was in flight. */
export interface Admission {
  readonly atMs: number;
  readonly used: Amounts;
  readonly endMs: number;
}

const windowsMs: Readonly<Partial<Record<Measure, number>>> = {
  requests_per_second: 1_000,
  requests_per_minute: 60_000,
  requests_per_day: 86_400_000,
  input_tokens_per_minute: 60_000,
  output_tokens_per_minute: 60_000,
  tokens_per_minute: 60_000,
};

/** By how much the limits were exceeded at the worst moment, in tokens or calls: 0 when they were not. */
export function excessOf(limits: Limits, admissions: readonly Admission[]): number {
  const all = Object.keys(limits) as Measure[];
  return Math.max(0, ...all.map((measure) => excess(measure, limits[measure] ?? 0, admissions)));
}

function excess(measure: Measure, limit: number, admissions: readonly Admission[]): number {
  const windowMs = windowsMs[measure];
  const most = windowMs === undefined ? mostAtOnce(admissions) : highestLevel(measure, limit / windowMs, admissions);
  // Sums of fractions: a millionth of a token is no token.
  return most > limit + 1e-6 ? most - limit : 0;
}

/** Of a bucket that leaks so much a millisecond. */
function highestLevel(measure: Measure, leak: number, admissions: readonly Admission[]): number {
  let [level, highest, atMs] = [0, 0, 0];
  for (const admission of admissions.toSorted((a, b) => a.atMs - b.atMs)) {
    level = Math.max(0, level - (admission.atMs - atMs) * leak) + (admission.used[measure] ?? 0);
    atMs = admission.atMs;
    highest = Math.max(highest, level);
  }
  return highest;
}

function mostAtOnce(admissions: readonly Admission[]): number {
  const counted = admissions.filter(({ used }) => measuresIn(used).includes("in_flight"));
  const steps = counted.flatMap(({ atMs, endMs }) => [
    [atMs, 1],
    [endMs, -1],
  ]) as [number, number][];
  // Whoever leaves at the moment that another comes has left.
  steps.sort(([a, stepA], [b, stepB]) => a - b || stepA - stepB);
  let [now, most] = [0, 0];
  for (const [, step] of steps) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}
