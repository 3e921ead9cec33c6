/** How much something was used lately: calls, each of which counts half as much an hour later. */
export interface Usage {
  readonly calls: number;
  /** When `calls` was true, milliseconds since 1970. */
  readonly atMs: number;
}

export const unused: Usage = { calls: 0, atMs: 0 };
const halfLifeMs = 3_600_000;

/** What is left of a count after a time. A clock that steps back takes nothing away and adds nothing. */
export function faded(count: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? count : count * 2 ** (-elapsedMs / halfLifeMs);
}

export function addUsage({ calls, atMs }: Usage, more: number, nowMs: number): Usage {
  return { calls: faded(calls, nowMs - atMs) + more, atMs: Math.max(atMs, nowMs) };
}

/** What was used less than half a call lately is not hot. */
const hotFrom = 0.5;
/** More than any isolate has memory for. */
const hotMax = 32;

/** What is worth having at hand, most used first. */
export function hottest(used: Readonly<Record<string, Usage>>, nowMs: number): readonly string[] {
  return Object.entries(used)
    .filter(([, { calls, atMs }]) => faded(calls, nowMs - atMs) >= hotFrom)
    .map(([name, usage]) => ({ name, rank: rankOf(usage, nowMs) }))
    .toSorted((a, b) => b.rank - a.rank || (a.name < b.name ? -1 : 1))
    .slice(0, hotMax)
    .map(({ name }) => name);
}

/** Higher for what was used more, and the same whenever it is asked: what has faded is rounded otherwise at each moment. */
function rankOf({ calls, atMs }: Usage, nowMs: number): number {
  return Math.log2(calls) + Math.min(atMs, nowMs) / halfLifeMs;
}
