import type { CapacityShare } from "@ledge/contract";
import type { Standing } from "./standing.ts";

const usualPriority = 5;

/**
 * A tenant's part of a tier's capacity. A tier one priority nearer to 0 weighs twice as much: it goes first, and nobody
 * waits for ever.
 */
export function shareOf(tenant: string, { weight, priority }: Pick<Standing, "weight" | "priority">): CapacityShare {
  return { of: tenant, weight: weight * 2 ** (usualPriority - priority) };
}

/**
 * How urgent a call is among those that wait at an origin, as `Ledge-Priority` says it; `undefined` is normal. Whoever weighs twice
 * as much as usual goes first; what nobody waits for, as a shadow's copy, last.
 */
export function urgencyOf(share: CapacityShare | undefined): "high" | "low" | undefined {
  if (share === undefined || share.weight <= 0.5) return "low";
  return share.weight >= 2 ? "high" : undefined;
}
