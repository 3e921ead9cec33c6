import type { EntryPurger, Keyrings, RulesStore } from "../cache/ports.ts";
import type { GatewayEnv } from "../env.ts";
import { keyringKey, rulesKey } from "./durable/cache-published.ts";

/** What the keeper of the answer cache publishes, and how it is asked itself. */

/** One for the whole deployment. */
const keeperName = "cache";
/** The shortest time for which KV lets a location keep what it read, seconds. */
const cacheTtl = 30;

/** The rules, from where the keeper publishes them or from the keeper itself. */
export function publishedRules(snapshots: KVNamespace, keepers: GatewayEnv["CACHE_KEEPER"]): RulesStore {
  return {
    async current() {
      return (await snapshots.get(rulesKey, { type: "json", cacheTtl })) ?? undefined;
    },
    newerThan: async (number) => await keepers.getByName(keeperName).newerThan(number),
  };
}

/** Entries that callers report as wrong. */
export function entryPurger(keepers: GatewayEnv["CACHE_KEEPER"]): EntryPurger {
  return {
    purgeEntry: async (tenant, key) =>
      await keepers.getByName(keeperName).change({ kind: "purge", purge: { tenant, key } }, "caller"),
  };
}

export function publishedKeyrings(snapshots: KVNamespace, keepers: GatewayEnv["CACHE_KEEPER"]): Keyrings {
  return {
    published: (tenant) => snapshots.get(keyringKey(tenant), { type: "json", cacheTtl }),
    made: async (tenant, atLeast) => await keepers.getByName(keeperName).keyring(tenant, atLeast),
  };
}
