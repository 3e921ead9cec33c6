/** How far a clock of ours may be from another before deadlines are cut short by it. */
const toleranceMs = 2_000;

/**
 * Milliseconds that are left for a call: what its sender said when it sent it, unless the moment that it named has come nearer
 * since, on the way or in a queue. Clocks that differ by less than two seconds cut no call short. 0 or less: nobody waits.
 *
 * @param deadline of the header `Ledge-Deadline`, milliseconds since 1970; what is none is as if it were not there
 */
export function timeLeftMs(timeoutMs: number, deadline: string | null, nowMs: number): number {
  if (deadline === null || !/^[0-9]{1,15}$/.test(deadline)) return timeoutMs;
  return Math.min(timeoutMs, Number(deadline) + toleranceMs - nowMs);
}
