import { DurableObject } from "cloudflare:workers";
import { emptyBucket, type RateAsk, type RateDecision, type RateRule, type RateState, takeTokens } from "@ledge/policy";
import type { GatewayEnv } from "../../env.ts";

const stateKey = "requests";

/** One subject's requests, counted in one place: load, decide, save. The decision is `takeTokens`. */
export class RateLimiter extends DurableObject<GatewayEnv> {
  #state: RateState | undefined;

  /** There is no `await` between reading and writing, so no two calls can see the same state. */
  take(rule: RateRule, ask: RateAsk): RateDecision {
    const before = this.#state ?? this.ctx.storage.kv.get<RateState>(stateKey) ?? emptyBucket;
    const [decision, after] = takeTokens(rule, before, Date.now(), ask);
    this.#state = after;
    // The answer does not wait for the disk: every caller of this subject would wait with it. What a crash of the
    // machine can forget is what was granted in the milliseconds before.
    if (decision.granted > 0) void this.ctx.storage.put(stateKey, after, { allowUnconfirmed: true });
    return decision;
  }
}
