import type { RateDecision, RateRule, ReturnedLease } from "@ledge/policy";

/** The exact counter of one subject's requests. A throw means it cannot be reached. */
export interface TokenBucket {
  take(subject: string, rule: RateRule, want: number, returned?: readonly ReturnedLease[]): Promise<RateDecision>;
}
