import {
  addGrant,
  emptyBucket,
  type Holding,
  holdsNothing,
  leaseTtlMs,
  type RateDecision,
  type RateRule,
  type RateState,
  runsLow,
  spend,
  takeOut,
  takeTokens,
  tokensHeld,
  wanted,
} from "@ledge/policy";
import type { TokenBucket } from "./ports.ts";

const subjectsMax = 10_000;

interface Held {
  holding: Holding;
  /** The counter's last word; what the headers say between two hops. */
  last: RateDecision;
  /** The bucket this isolate keeps for itself while the counter cannot be reached. */
  alone: RateState;
  /** While a renewal is under way. */
  renewingUntilMs: number;
}

/**
 * The rate limit as an isolate holds it: spends leased tokens without a hop, asks the counter when there are none.
 * When the counter cannot be reached, the isolate holds the same limit on its own: degraded, but never unlimited.
 */
export class Limit {
  readonly #bucket: TokenBucket;
  readonly #nowMs: () => number;
  readonly #subjects = new Map<string, Held>();

  constructor(bucket: TokenBucket, nowMs: () => number) {
    this.#bucket = bucket;
    this.#nowMs = nowMs;
  }

  /** `background` keeps work alive that no caller waits for. */
  async take(
    { subject, rate }: { readonly subject: string; readonly rate: RateRule },
    background: (work: Promise<void>) => void,
  ): Promise<RateDecision> {
    const held = this.#heldOf(subject);
    const local = this.#spend(held);
    if (local !== undefined) {
      if (this.#mayRenew(held)) background(this.#renew(subject, rate, held));
      return local;
    }
    let decision: RateDecision;
    try {
      decision = await this.#ask(subject, rate, held, false);
    } catch {
      const [alone, state] = takeTokens(rate, held.alone, this.#nowMs(), { want: 1, returned: [], ahead: false });
      held.alone = state;
      return alone;
    }
    // Another call of this isolate may have brought a lease meanwhile: refuse only when there is none either.
    return decision.granted < 1 ? (this.#spend(held) ?? decision) : this.#granted(held);
  }

  async #ask(subject: string, rate: RateRule, held: Held, ahead: boolean): Promise<RateDecision> {
    const askedAtMs = this.#nowMs();
    const [returned, live] = takeOut(held.holding, askedAtMs);
    const ask = { want: wanted(held.holding, askedAtMs), returned, ahead };
    held.holding = live;
    const decision = await this.#bucket.take(subject, rate, ask);
    if (decision.granted > 0) {
      held.holding = addGrant(held.holding, decision, ask, askedAtMs);
      held.last = decision;
    }
    return decision;
  }

  /** One renewal at a time; one that never came back does not stop the next for longer than a lease lasts. */
  #mayRenew(held: Held): boolean {
    const nowMs = this.#nowMs();
    return runsLow(held.holding, nowMs) && nowMs >= held.renewingUntilMs;
  }

  async #renew(subject: string, rate: RateRule, held: Held): Promise<void> {
    held.renewingUntilMs = this.#nowMs() + leaseTtlMs;
    // A renewal that fails costs nothing: the next call without a token asks for itself.
    await this.#ask(subject, rate, held, true).catch(() => undefined);
    held.renewingUntilMs = 0;
  }

  #spend(held: Held): RateDecision | undefined {
    const rest = spend(held.holding, this.#nowMs());
    if (rest === undefined) return undefined;
    held.holding = rest;
    return this.#granted(held);
  }

  #granted({ last, holding }: Held): RateDecision {
    return { ...last, granted: 1, remaining: last.remaining + tokensHeld(holding, this.#nowMs()) };
  }

  #heldOf(subject: string): Held {
    const known = this.#subjects.get(subject);
    if (known !== undefined) return known;
    if (this.#subjects.size >= subjectsMax) {
      const oldest = this.#subjects.keys().next().value;
      if (oldest !== undefined) this.#subjects.delete(oldest);
    }
    const last: RateDecision = { granted: 0, leaseId: 0, remaining: 0, resetMs: 0, retryAfterMs: 0 };
    const fresh: Held = { holding: holdsNothing, last, alone: emptyBucket, renewingUntilMs: 0 };
    this.#subjects.set(subject, fresh);
    return fresh;
  }
}
