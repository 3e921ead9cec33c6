import { fail, ok, type Result } from "@ledge/contract";
import {
  admit,
  type Call,
  dropBefore,
  dropLate,
  emptyQueue,
  type QueueRule,
  type QueueState,
  type Ticket,
  take,
  waitingRows,
} from "@ledge/policy/fair-queue";
import { holdTurn, type Turn } from "./turn.ts";

/** What one call brings. */
export interface Submission<Item> extends Call {
  readonly item: Item;
}

/** What one call gets back from the batch it was in. */
export interface BatchAnswer<Answer> {
  readonly answer: Answer;
  /** Milliseconds from arrival to the start of the batch. */
  readonly queueMs: number;
  /** Milliseconds the whole batch ran. */
  readonly runMs: number;
  /** Rows of the largest run of the graph that the call was part of. */
  readonly batchRows: number;
  /** Runs of the graph that count for this call: the first of a batch counts them all. */
  readonly executions: number;
}

export interface BatcherPorts<Item, Answer> {
  /** Runs the items of calls that share a key, and gives one answer each. May throw: that counts as `upstream_failed`. */
  readonly run: (items: readonly Item[]) => Promise<Result<readonly Answer[]>>;
  /** Rows of each run of the graph since this was last asked. */
  readonly executions: () => readonly number[];
  /** Lets calls that have already reached the isolate come in. Costs a lone caller next to nothing. */
  readonly hop: () => Promise<unknown>;
  /** Milliseconds, any origin. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly unixMs: () => number;
  readonly turn: Turn;
}

type Outcome<Answer> = Result<Omit<BatchAnswer<Answer>, "queueMs" | "runMs">>;

const tooFew = fail("internal_error", { cause: "A batch gave fewer outcomes than calls." });

interface Job<Item, Answer> {
  readonly item: Item;
  readonly arrivedMs: number;
  /** True once a batch holds it. */
  taken: boolean;
  outcome?: Result<BatchAnswer<Answer>>;
}

/** A caller who is refused comes back no sooner. */
const retryMsMin = 1_000;

/** Calls in a row that a hop brings no mate, before the next run without one. */
const loneMin = 4;

/**
 * How many run without a hop then: twice as many after each hop that again brings no mate, up to a bound. Calls that come
 * together are noticed by the next that hops: so many may run alone first.
 */
const trustedMin = 7;
const trustedMax = 31;

/**
 * Puts calls that arrive together into one run of the model.
 *
 * No call ever awaits a promise of another: each comes back by its own hop, and whoever comes first runs the batch for
 * all. So a caller who goes away takes nobody along, and no timer delays a lone one. The window adapts: none while calls
 * come one by one, but for every eighth, later every 32nd, which looks out for mates; one hop once they come together; and under
 * load as long as the run before, since a WebAssembly run blocks the isolate and calls gather meanwhile.
 */
export class Batcher<Item, Answer> {
  readonly #ports: BatcherPorts<Item, Answer>;
  readonly #jobs = new Map<number, Job<Item, Answer>>();
  #queue = emptyQueue;
  /** Calls in a row that a hop brought no mate. */
  #lone = 0;
  /** Calls that may still run without a hop. */
  #trusted = 0;
  /** Of the last batch; 0 where the clock stands still during a run. */
  #msPerRow = 0;

  constructor(ports: BatcherPorts<Item, Answer>) {
    this.#ports = ports;
  }

  /** Rows waiting now. */
  get waitingRows(): number {
    return waitingRows(this.#queue);
  }

  /**
   * Waits for a place in a batch and runs.
   * Faults: `overloaded` at once when too many rows wait; `deadline_exceeded` for who is not taken into a batch by then;
   * `upstream_failed` and whatever the run says.
   */
  async submit(call: Submission<Item>, rule: QueueRule): Promise<Result<BatchAnswer<Answer>>> {
    if (call.deadlineMs !== undefined && call.deadlineMs <= this.#ports.unixMs()) return fail("deadline_exceeded");
    const isAlone = this.#queue.waiting.length === 0 && this.#ports.turn.running === 0;
    const [admission, queue] = admit(rule, this.#queue, call);
    this.#queue = queue;
    if (admission.kind === "refused") {
      await this.#sweep();
      return this.#overloaded();
    }
    for (const job of this.#claimed(admission.pushedOut)) job.outcome = this.#overloaded();
    const job: Job<Item, Answer> = { item: call.item, arrivedMs: this.#ports.now(), taken: false };
    this.#jobs.set(admission.ticket.id, job);

    if (!isAlone) this.#noteCrowd(true);
    else if (this.#trusted > 0) {
      this.#trusted--;
      await this.#runNext(job, rule);
    }
    let seen = 0;
    for (;;) {
      if (job.outcome !== undefined) return job.outcome;
      await this.#ports.hop();
      if (job.outcome !== undefined) return job.outcome;
      this.#dropLate();
      if (job.outcome !== undefined) return job.outcome;
      const { running } = this.#ports.turn;
      // A run ends within the turn of the event loop that began it. Who meets the same one twice knows that its caller
      // was cancelled in the middle, and carries on.
      if (running === 0 || running === seen) {
        this.#noteCrowd(this.#queue.waiting.length > 1);
        await this.#runNext(job, rule);
      }
      seen = running;
    }
  }

  /**
   * Comes back when all who wait now have had their turn or have gone away. A live one comes back by its own hop before
   * ours ends; one more lets it go on after a run it met.
   */
  async settle(): Promise<void> {
    await this.#ports.hop();
    if (this.waitingRows > 0) await this.#sweep();
  }

  /**
   * Frees the places of callers who went away: nobody else would, once they fill the queue and everyone is refused.
   * After a hop all who came before and still live have had their turn. Should one be left, it runs alone.
   */
  async #sweep(): Promise<void> {
    const before = this.#queue.nextId;
    await this.#ports.hop();
    this.#claim(dropBefore(this.#queue, before));
  }

  /** Come back when those who wait now have run, at the pace of the last batch. */
  #overloaded(): Result<never> {
    return fail("overloaded", { retryAfterMs: Math.max(retryMsMin, Math.ceil(this.waitingRows * this.#msPerRow)) });
  }

  #noteCrowd(isCrowd: boolean): void {
    this.#lone = isCrowd ? 0 : this.#lone + 1;
    const doublings = this.#lone - loneMin;
    this.#trusted = doublings < 0 ? 0 : Math.min((trustedMin + 1) * 2 ** doublings - 1, trustedMax);
  }

  #dropLate(): void {
    if (this.#queue.waiting.length === 0) return;
    for (const job of this.#claim(dropLate(this.#queue, this.#ports.unixMs()))) {
      job.outcome = fail("deadline_exceeded");
    }
  }

  async #runNext(own: Job<Item, Answer>, rule: QueueRule): Promise<void> {
    const waited = this.waitingRows;
    const batch = own.taken ? [own] : this.#claim(take(rule, this.#queue));
    const rows = Math.max(1, waited - this.waitingRows);
    const { turn, now } = this.#ports;
    await holdTurn(turn, async () => {
      const startedMs = now();
      const outcomes = await this.#runBatch(batch);
      const runMs = now() - startedMs;
      this.#msPerRow = runMs / rows;
      for (let index = 0; index < batch.length; index++) {
        const job = batch[index];
        if (job === undefined || job.outcome !== undefined) continue;
        const outcome = outcomes[index] ?? tooFew;
        if (!outcome.ok) job.outcome = outcome;
        else {
          const { answer, batchRows, executions } = outcome.value;
          job.outcome = ok({ answer, batchRows, executions, queueMs: startedMs - job.arrivedMs, runMs });
        }
      }
    });
  }

  /** Takes jobs out of the book and the queue, so that no batch takes them again. */
  #claim([tickets, queue]: readonly [readonly Ticket[], QueueState]): Job<Item, Answer>[] {
    this.#queue = queue;
    return this.#claimed(tickets);
  }

  #claimed(tickets: readonly Ticket[]): Job<Item, Answer>[] {
    const claimed: Job<Item, Answer>[] = [];
    for (const { id } of tickets) {
      const job = this.#jobs.get(id);
      if (job === undefined) continue;
      this.#jobs.delete(id);
      job.taken = true;
      claimed.push(job);
    }
    return claimed;
  }

  /** One outcome per job. When a batch of several fails, each runs alone, so that only the one at fault fails. */
  async #runBatch(batch: readonly Job<Item, Answer>[]): Promise<readonly Outcome<Answer>[]> {
    const together = await this.#attempt(batch);
    if (batch.length === 1 || together.every(({ ok }) => ok)) return together;
    const alone: Outcome<Answer>[] = [];
    for (const job of batch) alone.push(...(await this.#attempt([job])));
    return alone;
  }

  async #attempt(jobs: readonly Job<Item, Answer>[]): Promise<readonly Outcome<Answer>[]> {
    const { run, executions } = this.#ports;
    executions();
    const answers = await run(jobs.map(({ item }) => item)).catch((error: unknown) =>
      fail("upstream_failed", { cause: error instanceof Error ? error.message : String(error) }),
    );
    const ran = executions();
    if (!answers.ok) return jobs.map(() => answers);
    const batchRows = Math.max(0, ...ran);
    return jobs.map((_, index) => {
      const answer = answers.value[index];
      if (answer === undefined) return fail("upstream_failed", { cause: "The run gave fewer answers than calls." });
      return ok({ answer, batchRows, executions: index === 0 ? ran.length : 0 });
    });
  }
}
