/** Who waits for the model, and who runs next. Pure: the batcher holds the state and the rows themselves. */

export interface QueueRule {
  /** Rows (texts) that may wait, the newcomer's included. 0 refuses everyone. */
  readonly waitingRowsMax: number;
  /** Rows in a batch of several calls. One call larger than this still runs, alone. */
  readonly batchRowsMax: number;
}

export interface Ticket {
  readonly id: number;
  readonly rows: number;
}

export interface QueueState {
  readonly nextId: number;
  /** First come first. */
  readonly waiting: readonly Ticket[];
}

export const emptyQueue: QueueState = { nextId: 1, waiting: [] };

export type Admission = { readonly kind: "admitted"; readonly ticket: Ticket } | { readonly kind: "refused" };

/** Lets a call wait unless the rows waiting would exceed the bound. A refusal changes nothing. */
export function admit(rule: QueueRule, state: QueueState, rows: number): [Admission, QueueState] {
  if (waitingRows(state) + rows > rule.waitingRowsMax) return [{ kind: "refused" }, state];
  const ticket = { id: state.nextId, rows };
  return [
    { kind: "admitted", ticket },
    { nextId: state.nextId + 1, waiting: [...state.waiting, ticket] },
  ];
}

/**
 * Takes the next batch: as many of the longest waiting as fit, in order. Nobody overtakes, even who would still fit,
 * so a large call is never starved by small ones. Takes at least one call if any waits.
 */
export function take(rule: QueueRule, state: QueueState): [readonly Ticket[], QueueState] {
  let rows = 0;
  let calls = 0;
  for (const ticket of state.waiting) {
    if (calls > 0 && rows + ticket.rows > rule.batchRowsMax) break;
    rows += ticket.rows;
    calls++;
  }
  return [state.waiting.slice(0, calls), { ...state, waiting: state.waiting.slice(calls) }];
}

/** Takes everyone who came before `id` out of the queue. */
export function dropBefore(state: QueueState, id: number): [readonly Ticket[], QueueState] {
  const waiting = state.waiting.filter((ticket) => ticket.id >= id);
  return [state.waiting.filter((ticket) => ticket.id < id), { ...state, waiting }];
}

export function waitingRows(state: QueueState): number {
  return state.waiting.reduce((sum, ticket) => sum + ticket.rows, 0);
}
