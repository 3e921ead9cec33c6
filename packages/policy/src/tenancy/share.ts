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
