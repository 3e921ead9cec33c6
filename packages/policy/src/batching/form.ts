import { type BatchRule, cellsOf, rowsOf, type Ticket } from "./call.ts";
import { type Experience, takesMs } from "./experience.ts";
import type { Line } from "./line.ts";

/** Every so many runs, whoever has waited longest leads: so no priority and no deadline starves anybody. */
export const oldestEvery = 4;

/**
 * Who shares the next run: the most urgent leads, and as many follow, in the order of urgency, as may share a run with it and fit. No
 * one is passed over for good: every {@link oldestEvery}th run is led by whoever has waited longest. At least one call if any waits.
 */
export function formBatch(rule: BatchRule, line: Line, nowMs: number): readonly Ticket[] {
  const order = line.waiting.toSorted(byUrgency);
  const leader = line.sinceOldest + 1 >= oldestEvery ? line.waiting[0] : order[0];
  if (leader === undefined) return [];
  const batch = [leader];
  if (leader.key === undefined) return batch;
  let load = loadOf(leader);
  for (const ticket of order) {
    if (ticket === leader || ticket.key !== leader.key) continue;
    const more = together(load, ticket);
    if (!fits(rule, line.experience, load, more, ticket, nowMs)) continue;
    batch.push(ticket);
    load = more;
  }
  return preferred(rule, batch);
}

/** Whoever is more urgent, then whose deadline is first, then who came first. */
function byUrgency(a: Ticket, b: Ticket): number {
  return a.priority - b.priority || a.deadlineMs - b.deadlineMs || a.id - b.id;
}

/** What a batch comes to. */
interface Load {
  readonly rows: number;
  readonly longest: number;
  /** Cells that are no padding. */
  readonly used: number;
  readonly deadlineMs: number;
}

function loadOf({ rows, length, deadlineMs }: Ticket): Load {
  return { rows, longest: Math.max(1, length), used: rows * length, deadlineMs };
}

function together(load: Load, ticket: Ticket): Load {
  const { rows, longest, used, deadlineMs } = loadOf(ticket);
  return {
    rows: load.rows + rows,
    longest: Math.max(load.longest, longest),
    used: load.used + used,
    deadlineMs: Math.min(load.deadlineMs, deadlineMs),
  };
}

function fits(rule: BatchRule, experience: Experience, load: Load, more: Load, ticket: Ticket, nowMs: number): boolean {
  const cells = more.rows * more.longest;
  if (more.rows > rule.rowsMax || cells > rule.cellsMax) return false;
  if (cells - more.used > rule.paddingMax * cells) return false;
  // What is filled up must cost less than a run of its own.
  const filled = cells - load.rows * load.longest - cellsOf([ticket]);
  if (filled > 0 && experience.cost !== undefined && filled * experience.cost.perCellMs > experience.cost.fixedMs)
    return false;
  return nowMs + takesMs(experience, cells) <= more.deadlineMs;
}

/** Cut to the largest preferred size that it fills, the least urgent left for the next run. */
function preferred({ preferredRows }: BatchRule, batch: readonly Ticket[]): readonly Ticket[] {
  const size = preferredRows.findLast((rows) => rows <= rowsOf(batch));
  if (size === undefined) return batch;
  const kept: Ticket[] = [];
  for (const ticket of batch) if (kept.length === 0 || rowsOf([...kept, ticket]) <= size) kept.push(ticket);
  return kept;
}
