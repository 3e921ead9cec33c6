/** Who waits for the model, and who runs next. Pure: the batcher holds the state and the rows themselves. */

export interface QueueRule {
  /** Rows that may wait, the newcomer's included. 0 refuses everyone. */
  readonly waitingRowsMax: number;
  /** Rows in a batch of several calls. One call larger than this still runs, alone. */
  readonly batchRowsMax: number;
}

export interface Ticket {
  readonly id: number;
  readonly rows: number;
  /** Only calls with the same key can share a run; without one a call runs alone. */
  readonly key?: string | undefined;
  /** When nobody wants the answer any more, milliseconds since 1970. */
  readonly deadlineMs?: number | undefined;
}

export interface QueueState {
  readonly nextId: number;
  /** First come first. */
  readonly waiting: readonly Ticket[];
}

export const emptyQueue: QueueState = { nextId: 1, waiting: [] };

export type Admission = { readonly kind: "admitted"; readonly ticket: Ticket } | { readonly kind: "refused" };

/** Lets a call wait unless the rows waiting would exceed the bound. A refusal changes nothing. */
export function admit(rule: QueueRule, state: QueueState, call: Omit<Ticket, "id">): [Admission, QueueState] {
  const { rows, key, deadlineMs } = call;
  if (waitingRows(state) + rows > rule.waitingRowsMax) return [{ kind: "refused" }, state];
  const ticket = { id: state.nextId, rows, key, deadlineMs };
  return [
    { kind: "admitted", ticket },
    { nextId: state.nextId + 1, waiting: [...state.waiting, ticket] },
  ];
}

/**
 * Takes the next batch: whoever waits longest, and as many with the same key as fit, in order. Nobody overtakes one of the
 * same key, even who would still fit, so a large call is never starved by small ones; and as the longest waiting always
 * goes first, no key is starved by another. Takes at least one call if any waits.
 */
export function take(rule: QueueRule, state: QueueState): [readonly Ticket[], QueueState] {
  const batch: Ticket[] = [];
  const left: Ticket[] = [];
  let rows = 0;
  let isFull = false;
  for (const ticket of state.waiting) {
    const first = batch[0];
    const isMate = first?.key !== undefined && ticket.key === first.key;
    if (first === undefined || (isMate && !isFull && rows + ticket.rows <= rule.batchRowsMax)) {
      batch.push(ticket);
      rows += ticket.rows;
    } else {
      left.push(ticket);
      if (isMate) isFull = true;
    }
  }
  return [batch, { ...state, waiting: left }];
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
