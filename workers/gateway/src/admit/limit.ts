import {
  addGrant,
  emptyBucket,
  type Holding,
  holdsNothing,
  type RateDecision,
  type RateState,
  spend,
  takeOut,
  takeTokens,
  tokensHeld,
  wanted,
} from "@ledge/policy";
import type { Principal } from "../exchange.ts";
import type { TokenBucket } from "./ports.ts";

const subjectsMax = 10_000;

interface Held {
  holding: Holding;
  /** The counter's last word; what the headers say between two hops. */
  last: RateDecision;
  /** The bucket this isolate keeps for itself while the counter cannot be reached. */
  alone: RateState;
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

  async take({ subject, rate }: Principal): Promise<RateDecision> {
    const held = this.#heldOf(subject);
    const local = this.#spend(held);
    if (local !== undefined) return local;
    const askedAtMs = this.#nowMs();
    const asked = wanted(held.holding, askedAtMs);
    const [returned, live] = takeOut(held.holding, askedAtMs);
    held.holding = live;
    let decision: RateDecision;
    try {
      decision = await this.#bucket.take(subject, rate, asked, returned);
    } catch {
      const [alone, state] = takeTokens(rate, held.alone, this.#nowMs(), 1);
      held.alone = state;
      return alone;
    }
    // Another call of this isolate may have brought a lease meanwhile: refuse only when there is none either.
    if (decision.granted < 1) return this.#spend(held) ?? decision;
    held.holding = addGrant(held.holding, decision, asked, askedAtMs);
    held.last = decision;
    return this.#granted(held);
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
    const fresh: Held = { holding: holdsNothing, last, alone: emptyBucket };
    this.#subjects.set(subject, fresh);
    return fresh;
  }
}
