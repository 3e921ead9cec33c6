import type { Grant, MeterState } from "@ledge/policy";

export interface GrantChanges {
  readonly puts: readonly Grant[];
  /** Names of leases. */
  readonly deletes: readonly string[];
}

/** What is to be written: a state may hold thousands of grants, and an ask changes a few. What a step leaves as it was is the same object. */
export function grantChanges(before: MeterState, after: MeterState): GrantChanges {
  const known = new Map(before.grants.map((grant) => [grant.lease, grant]));
  const puts = after.grants.filter((grant) => known.get(grant.lease) !== grant);
  for (const { lease } of after.grants) known.delete(lease);
  return { puts, deletes: [...known.keys()] };
}
