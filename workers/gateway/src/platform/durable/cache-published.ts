/** Where the keeper publishes, in the KV namespace of the snapshots: what gateways read. */

/** A `CacheState`. */
export const rulesKey = "cache:current";

/** A tenant's `Keyring`. */
export function keyringKey(tenant: string): string {
  return `cache:keys:${tenant}`;
}
