import type { Limits } from "@ledge/contract";
import {
  type Amounts,
  freshMeter,
  Holding,
  type LimitState,
  leasePolicy,
  type Measure,
  type MeterAnswer,
  type MeterAsk,
  type MeterState,
  meterStep,
  type Share,
} from "@ledge/policy";
import type { Meters } from "./ports.ts";

/** Others may be waiting, and calls that end together are told of together. */
const soonMs = 50;

export interface SubjectDeps {
  readonly meters: Meters;
  /** A name for a lease that nobody ever had. */
  readonly newLease: () => string;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Keeps work alive that no caller waits for. */
export type Background = (work: Promise<void>) => void;

export type Answered =
  | { readonly kind: "granted"; readonly share: Share }
  | { readonly kind: "refused"; readonly measure: Measure; readonly retryAfterMs: number }
  | { readonly kind: "closed" };

/**
 * One subject as an isolate knows it: takes from leases without a hop, asks the meter when they do not cover a call. While the
 * meter cannot be reached the isolate holds the same limits on its own: degraded, but never unlimited.
 */
export class SubjectMeter {
  readonly #name: string;
  readonly #deps: SubjectDeps;
  readonly #holding = new Holding();
  /** What this isolate counts itself while the meter cannot be reached. */
  #alone: MeterState = freshMeter;
  /** The meter's last word, which the headers repeat between two hops. */
  #last: readonly LimitState[] = [];
  #renewingUntilMs = 0;
  /** When the meter is next told what is over. */
  #flushAtMs = Number.POSITIVE_INFINITY;

  constructor(name: string, deps: SubjectDeps) {
    this.#name = name;
    this.#deps = deps;
  }

  /** Without a hop; `undefined` when no lease covers the call, which ends by `endMs`. */
  take(limits: Limits, call: Amounts, endMs: number, background: Background): Share | undefined {
    const nowMs = this.#deps.nowMs();
    const share = this.#holding.take(call, endMs, nowMs);
    // One renewal at a time; one that never came back does not stop the next for longer than a lease lasts.
    if (share !== undefined && nowMs >= this.#renewingUntilMs && this.#holding.runsLow(call, nowMs)) {
      this.#renewingUntilMs = nowMs + leasePolicy.lifeMs;
      background(this.#renew(limits, call, endMs));
    }
    return share;
  }

  /** `sure`: the call goes on for certain when this is granted. */
  async ask(limits: Limits, call: Amounts, endMs: number, sure: boolean, background: Background): Promise<Answered> {
    const answer = await this.#ask(limits, call, endMs, { ahead: false, sure });
    if (answer.closed) return { kind: "closed" };
    if (answer.share !== undefined) {
      this.#flushLater(limits, background);
      return { kind: "granted", share: answer.share };
    }
    // Another call of this isolate may have brought a lease meanwhile: refuse only when there is none either.
    const share = this.#holding.take(call, endMs, this.#deps.nowMs());
    if (share !== undefined) return { kind: "granted", share };
    const { measure, retryAfterMs } = answer.refusal ?? {
      measure: "requests_per_minute",
      retryAfterMs: leasePolicy.lifeMs,
    };
    return { kind: "refused", measure, retryAfterMs };
  }

  /** The call goes on. What it holds until it is over; `undefined`: nothing. */
  begin(share: Share): Share | undefined {
    return this.#holding.begin(share);
  }

  /** `used` of the share is spent. */
  settle(limits: Limits, share: Share, used: Amounts, background: Background): void {
    const nowMs = this.#deps.nowMs();
    if (this.#holding.settle(share, used, nowMs)) this.#flushAt(nowMs + soonMs, limits, background);
    else this.#flushLater(limits, background);
  }

  /** Gives a share back whole: its call was refused elsewhere, and has cost nothing. */
  release(limits: Limits, share: Share, background: Background): void {
    const nowMs = this.#deps.nowMs();
    const soon = this.#holding.settle(share, {}, nowMs);
    this.#flushAt(soon ? nowMs + soonMs : (this.#holding.leftUntil(true) ?? nowMs), limits, background);
  }

  /** As far as this isolate knows, with what it holds itself. */
  states(): readonly LimitState[] {
    const held = this.#holding.left(this.#deps.nowMs());
    return this.#last.map((state) => ({ ...state, left: state.left + (held[state.measure] ?? 0) }));
  }

  async #renew(limits: Limits, call: Amounts, endMs: number): Promise<void> {
    await this.#ask(limits, call, endMs, { ahead: true, sure: false });
    this.#renewingUntilMs = 0;
  }

  async #ask(
    limits: Limits,
    call: Amounts,
    endMs: number,
    how: Pick<MeterAsk, "ahead" | "sure">,
  ): Promise<MeterAnswer & { readonly share?: Share | undefined }> {
    const { newLease, nowMs } = this.#deps;
    const askedMs = nowMs();
    const ask = this.#holding.ask(newLease(), call, endMs, askedMs, how);
    const answer = await this.#send(limits, ask);
    if (!answer.closed) this.#last = answer.limits;
    return { ...answer, share: this.#holding.answered(ask, answer, askedMs, nowMs()) };
  }

  async #send(limits: Limits, ask: MeterAsk): Promise<MeterAnswer> {
    const { meters, nowMs } = this.#deps;
    try {
      const answer = await meters.ask(this.#name, limits, ask);
      this.#holding.told(nowMs());
      return answer;
    } catch {
      this.#holding.untold(ask.settlements, nowMs());
      const [answer, state] = meterStep(limits, this.#alone, nowMs(), ask);
      this.#alone = state;
      return answer;
    }
  }

  /** Tells the meter what is over, when anything is. */
  async #flush(limits: Limits): Promise<void> {
    const { meters, nowMs } = this.#deps;
    const settlements = this.#holding.settlements(nowMs());
    if (settlements.length === 0) return;
    const ask = { lease: "", call: {}, calls: 0, ahead: true, sure: false, holdMs: 0, settlements };
    try {
      await meters.ask(this.#name, limits, ask);
      this.#holding.told(nowMs());
    } catch {
      this.#holding.untold(settlements, nowMs());
    }
  }

  /**
   * What is left of a lease goes back when the lease ends, should no ask have told of it by then. Requests of a lease taken ahead may
   * wait for the next ask: the meter takes them for spent as soon as somebody is short of them.
   */
  #flushLater(limits: Limits, background: Background): void {
    const atMs = this.#holding.leftUntil(false);
    if (atMs !== undefined) this.#flushAt(atMs, limits, background);
  }

  /** An ask that comes before then tells it as well, and then there is nothing left to tell. */
  #flushAt(atMs: number, limits: Limits, background: Background): void {
    const nowMs = this.#deps.nowMs();
    // One that is planned may have ended with the request that it was planned behind.
    const isPlanned = this.#flushAtMs <= atMs && nowMs < this.#flushAtMs + leasePolicy.lifeMs;
    if (isPlanned) return;
    this.#flushAtMs = atMs;
    const flushed = this.#deps.sleep(Math.max(0, atMs - nowMs)).then(async () => {
      if (this.#flushAtMs === atMs) this.#flushAtMs = Number.POSITIVE_INFINITY;
      await this.#flush(limits);
      this.#flushLater(limits, background);
    });
    background(flushed);
  }
}
