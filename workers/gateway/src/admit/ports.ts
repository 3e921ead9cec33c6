import type { RateAsk, RateDecision, RateRule } from "@ledge/policy";

/** The exact counter of one subject's requests. A throw means it cannot be reached. */
export interface TokenBucket {
  take(subject: string, rule: RateRule, ask: RateAsk): Promise<RateDecision>;
}
