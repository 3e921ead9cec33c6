import { errors, type Fault, type Tier } from "@ledge/contract";

/** The tiers to try, nearest first. */
export function tiersInOrder(tiers: readonly Tier[]): readonly Tier[] {
  return [...tiers].sort((a, b) => (a === b ? 0 : a === "edge" ? -1 : 1));
}

/** A tier as one isolate knows it now. */
export interface TierFacts {
  /** Milliseconds that this call would take there, what waits before it included. */
  readonly expectedMs: number;
  /** Whether it has just said that it cannot take calls. */
  readonly away: boolean;
}

export interface PlacementFacts {
  /** Where the model may run: its size decided that when it was added. */
  readonly tiers: readonly Tier[];
  readonly edge: TierFacts;
  readonly origin: TierFacts;
  /** Until the call's deadline. */
  readonly remainingMs: number;
  /** Of the caller's share of a tier's capacity, 1 being usual; absent for work that nobody waits for. */
  readonly weight?: number;
}

/**
 * Why a call goes first where it goes: `near` is the rule; the others are why it goes to the origin although the edge could.
 * `deadline`: only there it may be done in time; `sooner`: it is done much sooner there; `full`: the edge takes no calls now.
 */
export type PlacementReason = "near" | "deadline" | "sooner" | "full";

/** Going to the origin costs the organisation more than the edge: it must spare the caller at least this. */
const sparedMsMin = 50;

/** The tiers of a model in the order in which a call tries them, and why. */
export function place(facts: PlacementFacts): { readonly order: readonly Tier[]; readonly reason?: PlacementReason } {
  const near = tiersInOrder(facts.tiers);
  if (near.length < 2) return { order: near };
  const reason = reasonFor(facts);
  return { order: reason === "near" ? near : near.toReversed(), reason };
}

function reasonFor({ edge, origin, remainingMs, weight }: PlacementFacts): PlacementReason {
  if (edge.away) return origin.away ? "near" : "full";
  if (origin.away || weight === undefined || origin.expectedMs >= edge.expectedMs) return "near";
  if (edge.expectedMs > remainingMs) return "deadline";
  const spared = edge.expectedMs - origin.expectedMs;
  return spared >= sparedMsMin && edge.expectedMs > patience(weight) * origin.expectedMs ? "sooner" : "near";
}

/** How many times as long a call waits for the edge before it goes on: who comes first goes on sooner. */
function patience(weight: number): number {
  return weight > 1 ? 1.5 : weight < 1 ? 4 : 2;
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

/** How long nobody need ask a tier again after this fault: that it is full or not there, not that it failed at one call. */
export function awayMs({ code, retryAfterMs = 250 }: Fault): number {
  const says = code === "overloaded" || code === "model_not_ready" || code === "origin_unavailable";
  return says ? Math.min(retryAfterMs, awayMsMax) : 0;
}

/** A tier that is back is asked again within this, whatever it said. */
const awayMsMax = 1_000;

/** Whether an older answer may stand in for this fault: nobody was there to answer, or not in time (RFC 5861 §4). */
export function mayServeStale({ code }: Fault): boolean {
  return errors[code].status >= 500 && errors[code].owner !== "client";
}
