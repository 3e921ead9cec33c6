import type { KeyRecord } from "@ledge/contract";
import { deletedTenantRecord, tenantRecordOf } from "@ledge/policy";
import { termsKey } from "./directory-published.ts";
import type { DirectoryStore } from "./directory-store.ts";
import type { SnapshotWriter } from "./publish.ts";

/** Entries that are published at once: a Worker's invocation may make so many calls of KV and more. */
const entriesAtOnce = 100;

/**
 * Publishes what is not published as it is; of very much only some. Throws when something could not be written, after all
 * the rest was: it is left to the next time.
 */
export async function publishDirectory(kv: SnapshotWriter, store: DirectoryStore): Promise<void> {
  const writes = store.unpublished(entriesAtOnce).map((key) => publishEntry(kv, store, key));
  for (const write of await Promise.allSettled(writes)) if (write.status === "rejected") throw write.reason;
}

async function publishEntry(kv: SnapshotWriter, store: DirectoryStore, key: string): Promise<void> {
  const text = textOf(store, key);
  if (text === undefined) await kv.delete(key);
  else await kv.put(key, text);
  // It may have changed in the meantime.
  if (textOf(store, key) === text) store.isPublished(key);
}

/** What gateways are to read under a key; `undefined` for nothing. */
function textOf(store: DirectoryStore, key: string): string | undefined {
  if (key === termsKey) return JSON.stringify(store.terms());
  const [kind = ""] = key.split(":", 1);
  const name = key.slice(kind.length + 1);
  return kind === "key" ? keyText(store, name) : tenantText(store, name);
}

function keyText(store: DirectoryStore, id: string): string | undefined {
  const key = store.key(id);
  if (key === undefined || key.revokedAtMs !== undefined) return undefined;
  const { rotatedFrom: _, rotatedTo: __, ...record } = key;
  return JSON.stringify(record satisfies KeyRecord);
}

function tenantText(store: DirectoryStore, name: string): string | undefined {
  const tenant = store.tenant(name);
  if (tenant !== undefined) return JSON.stringify(tenantRecordOf(tenant));
  return store.wasDeleted(name) ? JSON.stringify(deletedTenantRecord(name)) : undefined;
}
