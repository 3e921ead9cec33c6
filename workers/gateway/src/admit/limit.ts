import {
  addGrant,
  emptyBucket,
  expire,
  type Lease,
  noLease,
  type RateDecision,
  type RateState,
  spend,
  takeTokens,
  wanted,
} from "@ledge/policy";
import type { Principal } from "../exchange.ts";
import type { TokenBucket } from "./ports.ts";

const leasesMax = 10_000;

interface Held {
  lease: Lease;
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
  readonly #held = new Map<string, Held>();

  constructor(bucket: TokenBucket, nowMs: () => number) {
    this.#bucket = bucket;
    this.#nowMs = nowMs;
  }

  async take({ subject, rate }: Principal): Promise<RateDecision> {
    const held = this.#heldOf(subject);
    const local = this.#spend(held);
    if (local !== undefined) return local;
    const asked = wanted(held.lease, this.#nowMs());
    const [unspent, lease] = expire(held.lease, this.#nowMs());
    held.lease = lease;
    let decision: RateDecision;
    try {
      decision = await this.#bucket.take(subject, rate, asked, unspent);
    } catch {
      const [alone, state] = takeTokens(rate, held.alone, this.#nowMs(), 1);
      held.alone = state;
      return alone;
    }
    // Another call of this isolate may have brought a lease meanwhile: refuse only when there is none either.
    if (decision.granted < 1) return this.#spend(held) ?? decision;
    held.lease = addGrant(held.lease, decision, asked, this.#nowMs());
    held.last = decision;
    return { ...decision, granted: 1, remaining: decision.remaining + held.lease.tokens };
  }

  #spend(held: Held): RateDecision | undefined {
    const lease = spend(held.lease, this.#nowMs());
    if (lease === undefined) return undefined;
    held.lease = lease;
    return { ...held.last, granted: 1, remaining: held.last.remaining + lease.tokens };
  }

  #heldOf(subject: string): Held {
    const known = this.#held.get(subject);
    if (known !== undefined) return known;
    if (this.#held.size >= leasesMax) {
      const oldest = this.#held.keys().next().value;
      if (oldest !== undefined) this.#held.delete(oldest);
    }
    const last: RateDecision = { atMs: 0, granted: 0, remaining: 0, resetMs: 0, retryAfterMs: 0 };
    const fresh: Held = { lease: noLease, last, alone: emptyBucket };
    this.#held.set(subject, fresh);
    return fresh;
  }
}
