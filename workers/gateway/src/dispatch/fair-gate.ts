import { fail, ok, type Result } from "@ledge/contract";
import { admit, dropLate, emptyQueue, take, waitingRows } from "@ledge/policy/fair-queue";
import type { ChatEngine, Classifier, Journey, Readiness, TensorEngine } from "./ports.ts";

export interface FairGateRule {
  /** Calls that the tier has and has not begun to answer. */
  readonly inFlightMax: number;
  /** Calls that may wait for that. */
  readonly waitingMax: number;
}

/** Who gets a turn takes it within this time, or its caller has gone. */
const takenMsMax = 1_000;
/** How often who waits looks for turns that were never taken, or never given back. */
const lookMs = 1_000;
/** A caller who is refused comes back no sooner. */
const retryMsMin = 1_000;
/** Weight of the newest call in the mean time of one. */
const newestWeight = 0.1;

interface Waiter {
  told?: Result<true>;
  wake: () => void;
}

/**
 * A bounded room before a tier that takes so many calls at once: whoever waits goes by its share of capacity, as in the queue of a
 * model at the edge. One an isolate.
 */
export class FairGate {
  readonly #rule: FairGateRule;
  readonly #nowMs: () => number;
  #queue = emptyQueue;
  readonly #waiters = new Map<number, Waiter>();
  /** When each turn ends by itself: a call whose request was cut off never gives it back. */
  readonly #turns = new Map<number, number>();
  #meanMs = 1_000;

  constructor(rule: FairGateRule, nowMs: () => number) {
    this.#rule = rule;
    this.#nowMs = nowMs;
  }

  /** Does the work when its turn has come. Errors: `overloaded`, `deadline_exceeded`, and those of the work. */
  async pass<T>(
    { deadlineMs, share }: Pick<Journey, "deadlineMs" | "share">,
    work: () => Promise<Result<T>>,
  ): Promise<Result<T>> {
    this.#endTurns();
    // Of callers who have gone; who is still here goes by itself.
    [, this.#queue] = dropLate(this.#queue, this.#nowMs());
    const free = this.#rule.inFlightMax - this.#turns.size;
    const room = { waitingRowsMax: this.#rule.waitingMax + Math.max(0, free), batchRowsMax: 1 };
    const [admission, queue] = admit(room, this.#queue, { rows: 1, deadlineMs, share });
    this.#queue = queue;
    if (admission.kind === "refused") return this.#overloaded();
    for (const { id } of admission.pushedOut) this.#tell(id, this.#overloaded());
    const { id } = admission.ticket;
    const turn = await this.#turn(id, deadlineMs);
    if (!turn.ok) return turn;
    const startedMs = this.#nowMs();
    this.#turns.set(id, deadlineMs);
    try {
      return await work();
    } finally {
      this.#meanMs += (this.#nowMs() - startedMs - this.#meanMs) * newestWeight;
      this.#turns.delete(id);
      this.#giveTurns();
    }
  }

  /** Everybody who waits awaits a promise and a timer of its own: one whose request has ended never wakes, and holds nobody up. */
  async #turn(id: number, deadlineMs: number): Promise<Result<true>> {
    const waiter: Waiter = { wake: () => undefined };
    this.#waiters.set(id, waiter);
    for (;;) {
      this.#giveTurns();
      if (waiter.told !== undefined) return waiter.told;
      const leftMs = deadlineMs - this.#nowMs();
      if (leftMs <= 0) return this.#leave(id);
      await news(waiter, Math.min(lookMs, leftMs));
    }
  }

  #leave(id: number): Result<never> {
    this.#waiters.delete(id);
    [, this.#queue] = dropLate(this.#queue, this.#nowMs());
    return fail("deadline_exceeded");
  }

  #giveTurns(): void {
    this.#endTurns();
    while (this.#turns.size < this.#rule.inFlightMax && this.#queue.waiting.length > 0) {
      const [taken, queue] = take({ waitingRowsMax: 0, batchRowsMax: 1 }, this.#queue);
      this.#queue = queue;
      for (const { id } of taken) {
        this.#turns.set(id, this.#nowMs() + takenMsMax);
        this.#tell(id, ok(true));
      }
    }
  }

  #endTurns(): void {
    const nowMs = this.#nowMs();
    for (const [id, untilMs] of this.#turns) if (untilMs <= nowMs) this.#turns.delete(id);
  }

  #tell(id: number, told: Result<true>): void {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    if (waiter === undefined) return;
    waiter.told = told;
    waiter.wake();
  }

  /** Come back when those who wait now have had their turn, at the pace of the last calls. */
  #overloaded(): Result<never> {
    const drainMs = ((waitingRows(this.#queue) + 1) * this.#meanMs) / this.#rule.inFlightMax;
    return fail("overloaded", { retryAfterMs: Math.max(retryMsMin, Math.ceil(drainMs)) });
  }
}

/** Comes back when there is news, or after a time. */
async function news(waiter: Waiter, msMax: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, msMax);
    waiter.wake = resolve;
  });
  if (timer !== null) clearTimeout(timer);
}

type Origin = Classifier & TensorEngine & ChatEngine & Readiness;

/** The origin behind a gate. A stream has its turn until it begins: from there on the engine's own bound holds. */
export function fairly(origin: Origin, gate: FairGate): Origin {
  return {
    predict: (call, journey) => gate.pass(journey, () => origin.predict(call, journey)),
    infer: (call, journey) => gate.pass(journey, () => origin.infer(call, journey)),
    complete: (body, journey) => gate.pass(journey, () => origin.complete(body, journey)),
    stream: (body, journey) => gate.pass(journey, () => origin.stream(body, journey)),
    ready: (journey) => origin.ready(journey),
  };
}
