import { fail, ok, type Result } from "@ledge/contract";
import type { OutputRow, PreparedRow } from "@ledge/pipeline";
import { admit, dropBefore, emptyQueue, type QueueRule, type Ticket, take, waitingRows } from "./queue.ts";

/** What one call gets back from the batch it was in. */
export interface BatchAnswer {
  /** One per row, in the order of the call's rows. */
  readonly outputs: readonly OutputRow[];
  /** Milliseconds from arrival to the start of the batch. */
  readonly queueMs: number;
  /** Milliseconds the whole batch ran. */
  readonly runMs: number;
}

/** ONNX Runtime is one instance per isolate, and its runs must not interleave: all batchers share one turn. */
export interface Turn {
  /** The number of the run in progress; 0 when there is none. */
  running: number;
  /** Runs begun so far. */
  begun: number;
}

export interface BatcherPorts {
  /** Runs rows. May throw: that counts as `upstream_failed`. */
  readonly run: (rows: readonly PreparedRow[]) => Promise<Result<OutputRow[]>>;
  /** Lets calls that have already reached the isolate come in. Costs a lone caller next to nothing. */
  readonly hop: () => Promise<void>;
  /** Milliseconds, any origin. */
  readonly now: () => number;
  readonly turn: Turn;
}

interface Job {
  readonly rows: readonly PreparedRow[];
  readonly arrivedMs: number;
  /** True once a batch holds it. */
  taken: boolean;
  outcome?: Result<BatchAnswer>;
}

/**
 * Puts calls that arrive together into one run of the model.
 *
 * No call ever awaits a promise of another: each comes back by its own hop, and whoever comes first runs the batch for
 * all. So a caller who goes away takes nobody along, and no timer delays a lone one. Calls gather while the isolate is
 * busy, since a WebAssembly run blocks it.
 */
export class Batcher {
  readonly #ports: BatcherPorts;
  readonly #jobs = new Map<number, Job>();
  #queue = emptyQueue;

  constructor(ports: BatcherPorts) {
    this.#ports = ports;
  }

  /** Rows waiting now. */
  get waitingRows(): number {
    return waitingRows(this.#queue);
  }

  /**
   * Waits for a place in a batch and runs.
   * Faults: `overloaded` at once when too many rows wait; `upstream_failed` and whatever the run says.
   */
  async submit(rows: readonly PreparedRow[], rule: QueueRule): Promise<Result<BatchAnswer>> {
    const [admission, queue] = admit(rule, this.#queue, rows.length);
    this.#queue = queue;
    if (admission.kind === "refused") {
      await this.#sweep();
      return fail("overloaded", { retryAfterMs: 1000 });
    }
    const job: Job = { rows, arrivedMs: this.#ports.now(), taken: false };
    this.#jobs.set(admission.ticket.id, job);

    let seen = 0;
    for (;;) {
      await this.#ports.hop();
      if (job.outcome !== undefined) return job.outcome;
      const { running } = this.#ports.turn;
      // A run ends within the turn of the event loop that began it. Who meets the same one twice knows that its caller
      // was cancelled in the middle, and carries on.
      if (running === 0 || running === seen) await this.#runNext(job, rule);
      seen = running;
    }
  }

  /**
   * Frees the places of callers who went away: nobody else would, once they fill the queue and everyone is refused.
   * After a hop all who came before and still live have had their turn. Should one be left, it runs alone.
   */
  async #sweep(): Promise<void> {
    const before = this.#queue.nextId;
    await this.#ports.hop();
    const [dropped, queue] = dropBefore(this.#queue, before);
    this.#queue = queue;
    this.#claim(dropped);
  }

  async #runNext(own: Job, rule: QueueRule): Promise<void> {
    const batch = own.taken ? [own] : this.#takeBatch(rule);
    const { turn, now } = this.#ports;
    const mine = ++turn.begun;
    turn.running = mine;
    try {
      const startedMs = now();
      const outcomes = await this.#runBatch(batch);
      const runMs = now() - startedMs;
      for (const [index, job] of batch.entries()) {
        const outputs = outcomes[index] ?? fail("internal_error", { cause: "A batch gave fewer outcomes than calls." });
        job.outcome ??= outputs.ok
          ? ok({ outputs: outputs.value, queueMs: startedMs - job.arrivedMs, runMs })
          : outputs;
      }
    } finally {
      if (turn.running === mine) turn.running = 0;
    }
  }

  #takeBatch(rule: QueueRule): Job[] {
    const [tickets, queue] = take(rule, this.#queue);
    this.#queue = queue;
    return this.#claim(tickets);
  }

  /** Takes jobs out of the book, so that no batch takes them again. */
  #claim(tickets: readonly Ticket[]): Job[] {
    const batch: Job[] = [];
    for (const { id } of tickets) {
      const job = this.#jobs.get(id);
      if (job === undefined) continue;
      this.#jobs.delete(id);
      job.taken = true;
      batch.push(job);
    }
    return batch;
  }

  /** One outcome per job. When a batch of several fails, each runs alone, so that only the one at fault fails. */
  async #runBatch(batch: readonly Job[]): Promise<Result<readonly OutputRow[]>[]> {
    const together = await this.#attempt(batch.flatMap((job) => job.rows));
    if (!together.ok) {
      if (batch.length === 1) return [together];
      const alone: Result<readonly OutputRow[]>[] = [];
      for (const job of batch) alone.push(await this.#attempt(job.rows));
      return alone;
    }
    let from = 0;
    return batch.map((job) => {
      const part = together.value.slice(from, from + job.rows.length);
      from += job.rows.length;
      return ok(part);
    });
  }

  async #attempt(rows: readonly PreparedRow[]): Promise<Result<OutputRow[]>> {
    try {
      const answer = await this.#ports.run(rows);
      if (answer.ok && answer.value.length !== rows.length) {
        return fail("upstream_failed", { cause: `The run gave ${answer.value.length} rows for ${rows.length}.` });
      }
      return answer;
    } catch (error) {
      return fail("upstream_failed", { cause: error instanceof Error ? error.message : String(error) });
    }
  }
}
