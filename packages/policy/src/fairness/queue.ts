/**
 * Who waits, and who runs next: before a model at the edge, and before the origin. Pure: whoever uses it holds the state and the work itself.
 *
 * Shares of capacity are dealt by start-time fair queueing (Goyal, Vin and Cheng, 1996): each call gets a start on a virtual
 * clock, where the calls of its share before it end, and whoever starts first runs first. A share with twice the weight gets twice the
 * rows. Calls without a share are one together, first come first.
 *
 * A share of which few rows wait may start a little in the past (as in borrowed virtual time, Duda and Cheriton, 1999): who asked for
 * less than its part goes at once, instead of waiting for its turn among the calls of a burst. How far is bounded, so nobody gains more
 * than that by having been idle; and a burst, of which many rows wait, gains next to nothing.
 */

import type { CapacityShare } from "@ledge/contract";

export interface QueueRule {
  /** Rows that may wait, the newcomer's included. 0 refuses everyone. */
  readonly waitingRowsMax: number;
  /** Rows in a batch of several calls. One call larger than this still runs, alone. */
  readonly batchRowsMax: number;
}

/** What a call brings to the queue. */
export interface Call {
  readonly rows: number;
  /** Only calls with the same key can share a run; without one a call runs alone. */
  readonly key?: string | undefined;
  /** When nobody wants the answer any more, milliseconds since 1970. */
  readonly deadlineMs?: number | undefined;
  readonly share?: CapacityShare | undefined;
}

export interface Ticket extends Call {
  readonly id: number;
  /** On the virtual clock: rows served for each unit of weight. */
  readonly start: number;
}

export interface QueueState {
  readonly nextId: number;
  /** In the order of arrival. */
  readonly waiting: readonly Ticket[];
  /** The virtual clock: the start of who ran last. */
  readonly virtual: number;
  /** Where the calls of each share end, by its name. */
  readonly ends: Readonly<Record<string, number>>;
}

export const emptyQueue: QueueState = { nextId: 1, waiting: [], virtual: 0, ends: {} };

/**
 * Rows for each unit of weight that a share may be ahead of the clock, and the rows of it that may be waiting then. On virtual time,
 * before four slots: with 16 rows ahead others' p99 beside a burst reached 1.59 times that of alone on one of two seeds, with 32 at
 * most 1.37 on four, and 1.42 when twelve rows of theirs might wait.
 */
const aheadRows = 32;
const fewRows = 8;

const nobody: CapacityShare = { of: "", weight: 1 };

export type Admission =
  | {
      readonly kind: "admitted";
      readonly ticket: Ticket;
      /** Calls of a share that had more than this one: they make room, newest first, and are refused instead. */
      readonly pushedOut: readonly Ticket[];
    }
  | { readonly kind: "refused" };

/**
 * Lets a call wait unless the rows waiting would exceed the bound. When they would, and another share has more waiting for its
 * weight, that one's newest calls make room: a burst fills the queue only until somebody else comes. A refusal changes nothing.
 */
export function admit(rule: QueueRule, state: QueueState, call: Call): [Admission, QueueState] {
  const room = makeRoom(rule, state, call);
  if (room === undefined) return [{ kind: "refused" }, state];
  const [pushedOut, { waiting, virtual, ends, nextId }] = room;
  const { of, weight } = call.share ?? nobody;
  const ahead = rowsOf(waiting, of) < fewRows ? aheadRows : 0;
  const start = Math.max(virtual - ahead, ends[of] ?? Number.NEGATIVE_INFINITY);
  const ticket = { ...call, id: nextId, start };
  return [
    { kind: "admitted", ticket, pushedOut },
    {
      nextId: nextId + 1,
      waiting: [...waiting, ticket],
      virtual,
      ends: { ...ends, [of]: start + call.rows / weight },
    },
  ];
}

/** Rows of a share that wait. */
function rowsOf(waiting: readonly Ticket[], of: string): number {
  return waiting.reduce((sum, { rows, share = nobody }) => (share.of === of ? sum + rows : sum), 0);
}

/** The state with room for a call, and who had to go; `undefined` when nobody has more waiting than it would have. */
function makeRoom(
  rule: QueueRule,
  state: QueueState,
  { rows, share = nobody }: Call,
): [readonly Ticket[], QueueState] | undefined {
  if (rows > rule.waitingRowsMax) return undefined;
  const pushedOut: Ticket[] = [];
  let after = state;
  while (waitingRows(after) + rows > rule.waitingRowsMax) {
    const heaviest = heaviestOf(after.waiting, rows, share);
    const out = after.waiting.findLast(({ share: theirs = nobody }) => theirs.of === heaviest);
    if (heaviest === share.of || out === undefined) return undefined;
    pushedOut.push(out);
    after = {
      ...after,
      waiting: after.waiting.filter((ticket) => ticket !== out),
      ends: { ...after.ends, [heaviest]: out.start },
    };
  }
  return [pushedOut, after];
}

/** Whose rows weigh most for their weight, the newcomer's counted; in a draw the newcomer. */
function heaviestOf(waiting: readonly Ticket[], rows: number, share: CapacityShare): string {
  const loads = new Map([[share.of, rows / share.weight]]);
  for (const { rows: theirs, share: { of, weight } = nobody } of waiting) {
    loads.set(of, (loads.get(of) ?? 0) + theirs / weight);
  }
  let heaviest = share.of;
  for (const [of, load] of loads) if (load > (loads.get(heaviest) ?? 0)) heaviest = of;
  return heaviest;
}

/**
 * Takes the next batch: whoever starts first, and as many with the same key as fit, in that order. Nobody overtakes one of the
 * same key who starts before, even who would still fit, so a large call is never starved by small ones; and as the first to
 * start always goes, no key is starved by another. Takes at least one call if any waits.
 */
export function take(rule: QueueRule, state: QueueState): [readonly Ticket[], QueueState] {
  const batch: Ticket[] = [];
  const left = new Set(state.waiting);
  let rows = 0;
  for (const ticket of inOrder(state.waiting)) {
    const first = batch[0];
    if (first !== undefined && (first.key === undefined || ticket.key !== first.key)) continue;
    if (first !== undefined && rows + ticket.rows > rule.batchRowsMax) break;
    batch.push(ticket);
    left.delete(ticket);
    rows += ticket.rows;
  }
  const virtual = Math.max(state.virtual, batch.at(-1)?.start ?? 0);
  const rest = { ...state, waiting: [...left], virtual };
  // Nobody waits, so nobody is ahead of anybody: the clock begins anew, and no name is kept.
  return [batch, left.size === 0 ? { ...rest, virtual: 0, ends: {} } : rest];
}

/** By start, and in the order of arrival where that is the same. Sorted already where all are of one share. */
function inOrder(waiting: readonly Ticket[]): readonly Ticket[] {
  const isSorted = waiting.every(({ start }, i) => start >= (waiting[i - 1]?.start ?? 0));
  return isSorted ? waiting : waiting.toSorted((a, b) => a.start - b.start || a.id - b.id);
}

/** Takes everyone who came before `id` out of the queue. */
export function dropBefore(state: QueueState, id: number): [readonly Ticket[], QueueState] {
  return part(state, (ticket) => ticket.id < id);
}

/** Takes everyone whose deadline has passed out of the queue. */
export function dropLate(state: QueueState, nowMs: number): [readonly Ticket[], QueueState] {
  const isLate = (ticket: Ticket) => ticket.deadlineMs !== undefined && ticket.deadlineMs <= nowMs;
  return state.waiting.some(isLate) ? part(state, isLate) : [[], state];
}

function part(state: QueueState, isOut: (ticket: Ticket) => boolean): [readonly Ticket[], QueueState] {
  return [state.waiting.filter(isOut), { ...state, waiting: state.waiting.filter((ticket) => !isOut(ticket)) }];
}

export function waitingRows(state: QueueState): number {
  return state.waiting.reduce((sum, ticket) => sum + ticket.rows, 0);
}
