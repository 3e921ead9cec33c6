import { DurableObject } from "cloudflare:workers";
import {
  emptyBucket,
  type RateDecision,
  type RateRule,
  type RateState,
  type ReturnedLease,
  takeTokens,
} from "@ledge/policy";
import type { GatewayEnv } from "../../env.ts";

const stateKey = "requests";

/** One subject's requests, counted in one place: load, decide, save. The decision is `takeTokens`. */
export class RateLimiter extends DurableObject<GatewayEnv> {
  #state: RateState | undefined;

  /** Settles leases that came back, then takes up to `want` tokens. There is no `await`, so no two calls can see the same state. */
  take(rule: RateRule, want: number, returned?: readonly ReturnedLease[]): RateDecision {
    const before = this.#state ?? this.ctx.storage.kv.get<RateState>(stateKey) ?? emptyBucket;
    const [decision, after] = takeTokens(rule, before, Date.now(), want, returned);
    this.#state = after;
    if (decision.granted > 0) this.ctx.storage.kv.put(stateKey, after);
    return decision;
  }
}
