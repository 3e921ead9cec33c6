/** Where the directory publishes, in the KV namespace of keys: what gateways read. */

/** A `KeyRecord`. */
export function keyKey(id: string): string {
  return `key:${id}`;
}

/** A `TenantRecord`. */
export function tenantKey(tenant: string): string {
  return `tenant:${tenant}`;
}

/** The `Terms`. */
export const termsKey = "terms:current";
