import { DurableObject } from "cloudflare:workers";
import { emptyBucket, type RateDecision, type RateRule, type RateState, takeTokens, type Unspent } from "@ledge/policy";
import type { GatewayEnv } from "../../env.ts";

const stateKey = "requests";

/** One subject's requests, counted in one place: load, decide, save. The decision is `takeTokens`. */
export class RateLimiter extends DurableObject<GatewayEnv> {
  #state: RateState | undefined;

  /** Takes back what was not spent, then takes up to `want` tokens. There is no `await`, so no two calls can see the same state. */
  take(rule: RateRule, want: number, unspent?: Unspent): RateDecision {
    const before = this.#state ?? this.ctx.storage.kv.get<RateState>(stateKey) ?? emptyBucket;
    const [decision, after] = takeTokens(rule, before, Date.now(), want, unspent);
    this.#state = after;
    if (decision.granted > 0) this.ctx.storage.kv.put(stateKey, after);
    return decision;
  }
}
