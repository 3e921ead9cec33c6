import { type BatchRule, cellsOf, type Ticket } from "./call.ts";
import { awayOf, backMs, takesMs } from "./experience.ts";
import type { Line } from "./line.ts";

/**
 * Who of a batch runs now, the others being left for the next run. Callers who ask again once they are answered come to move as one:
 * now all of them wait for a run, now all of them are away, and the engine stands still. So of a batch behind which nobody waits, the
 * least urgent are left: enough to keep the engine at work, together with those who come meanwhile, until the others are back. That is
 * one run more for each time that the engine does not stand still, so it is done where the fixed part of a run is less than that time.
 * While it is not known what size costs, it is tried when the whole batch would be a run like those before.
 */
export function staggered(
  { preferredRows }: BatchRule,
  line: Line,
  batch: readonly Ticket[],
  nowMs: number,
): readonly Ticket[] {
  const { experience, waiting, running } = line;
  const { cost } = experience;
  if (cost === undefined || preferredRows.length > 0) return batch;
  if (waiting.length > batch.length || running.length > 0) return batch;
  const stillMs = backMs(experience, batch.length) - workMs(line, batch, 0);
  // An engine that stands still most of the time has no need of more work.
  if (stillMs <= 0 || stillMs > takesMs(experience, cellsOf(batch))) return batch;
  if (cost.isKnown ? stillMs < cost.fixedMs : cellsOf(batch) > cost.meanCells) return batch;
  const left = filling(line, batch);
  const [now, later] = [batch.slice(0, batch.length - left), batch.slice(batch.length - left)];
  const laterMs = cost.isKnown ? takesMs(experience, cellsOf(later)) : cost.meanMs;
  const endsMs = nowMs + takesMs(experience, cellsOf(now)) + laterMs;
  return later.every(({ deadlineMs }) => endsMs <= deadlineMs) ? now : batch;
}

/** How many of the last are left: as few as will do, and never so many that the next run is larger than this one. */
function filling(line: Line, batch: readonly Ticket[]): number {
  const most = (batch.length - awayOf(line.experience)) / 2;
  let left = 0;
  while (left + 1 <= most && workMs(line, batch, left) < backMs(line.experience, batch.length - left)) left++;
  return left;
}

/** What the run after this one takes: of those who are left, and of those who come meanwhile. */
function workMs({ experience }: Line, batch: readonly Ticket[], left: number): number {
  const calls = left + awayOf(experience);
  return calls === 0 ? 0 : takesMs(experience, (cellsOf(batch) * calls) / batch.length);
}
