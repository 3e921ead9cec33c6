import type { CacheState } from "@ledge/contract";
import { keyringKey, rulesKey } from "./cache-published.ts";
import type { CacheStore } from "./cache-store.ts";
import type { SnapshotWriter } from "./publish.ts";

/** Keyrings that are published at once: a Worker's invocation may make so many calls of KV and more. */
const keyringsAtOnce = 100;

/**
 * Publishes the keyrings that changed and the rules, and has the store know of each that is; of very
 * many keyrings only some. Throws when something could not be written, after all the rest was: it is left to the next time.
 */
export async function publishCache(snapshots: SnapshotWriter, store: CacheStore, state: CacheState): Promise<void> {
  const tenants = store.unpublishedKeyrings(keyringsAtOnce);
  const writes = tenants.map((tenant) => publishKeyring(snapshots, store, tenant));
  if (publishedNumber(store) < state.number) writes.push(publishRules(snapshots, store, state));
  for (const write of await Promise.allSettled(writes)) if (write.status === "rejected") throw write.reason;
}

async function publishKeyring(snapshots: SnapshotWriter, store: CacheStore, tenant: string): Promise<void> {
  const keyring = store.keyring(tenant);
  if (keyring === undefined) await snapshots.delete(keyringKey(tenant));
  else await snapshots.put(keyringKey(tenant), JSON.stringify(keyring));
  // It may have changed in the meantime.
  if (JSON.stringify(store.keyring(tenant)) === JSON.stringify(keyring)) store.keyringIsPublished(tenant);
}

async function publishRules(snapshots: SnapshotWriter, store: CacheStore, state: CacheState): Promise<void> {
  await snapshots.put(rulesKey, JSON.stringify(state));
  store.setMeta("published", state.number);
}

/** Whether the rules of a number are, and a tenant's keyring as it is now. */
export function isPublished(store: CacheStore, number: number, tenant?: string): boolean {
  return publishedNumber(store) >= number && (tenant === undefined || !store.isUnpublished(tenant));
}

/** Whether something is not published yet. */
export function isBehind(store: CacheStore, { number }: CacheState): boolean {
  return publishedNumber(store) < number || store.unpublishedKeyrings(1).length > 0;
}

function publishedNumber(store: CacheStore): number {
  return store.meta("published") ?? 0;
}
