import { errors, type Fault, type Tier } from "@ledge/contract";

/** The tiers to try, nearest first. */
export function tiersInOrder(tiers: readonly Tier[]): readonly Tier[] {
  return [...tiers].sort((a, b) => (a === b ? 0 : a === "edge" ? -1 : 1));
}

/**
 * Whether another tier may answer after this fault. What the caller did wrong is wrong at every tier, and a deadline
 * that passed has passed; a broken, overloaded or unloaded tier has not said anything about the request.
 */
export function mayTryNextTier(fault: Fault): boolean {
  switch (fault.code) {
    case "overloaded":
    case "upstream_failed":
    case "model_not_ready":
    case "origin_unavailable":
    case "internal_error":
      return true;
    default:
      return false;
  }
}

/** Whether an older answer may stand in for this fault: nobody was there to answer, or not in time (RFC 5861 §4). */
export function mayServeStale({ code }: Fault): boolean {
  return errors[code].status >= 500 && errors[code].owner !== "client";
}
