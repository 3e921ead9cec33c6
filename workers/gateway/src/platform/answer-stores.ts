import type { EntryPurger, Keep, Keyrings, RulesStore, SealedBytes } from "../cache/ports.ts";
import type { GatewayEnv } from "../env.ts";
import { keyringKey, rulesKey } from "./durable/cache-published.ts";

/** Where the answer cache keeps what it keeps. Keys and lifetimes are listed in docs/storage-schema.md. */

/** KV forgets nothing sooner, seconds. */
const expirationTtlMin = 60;
/** The shortest time for which KV lets a location keep what it read, seconds. */
const cacheTtl = 30;

/** One keeper for the whole deployment. */
const keeperName = "cache";

export function kvSealedBytes(answers: KVNamespace): SealedBytes {
  return {
    async get(slot) {
      const bytes = await answers.get(slot, { type: "arrayBuffer", cacheTtl });
      return bytes === null ? undefined : new Uint8Array(bytes);
    },
    async put(slot, bytes, { keepS, freshUntilMs }) {
      const expirationTtl = Math.max(expirationTtlMin, Math.ceil(keepS));
      await answers.put(slot, bytes, { expirationTtl, metadata: { freshUntilMs } });
    },
  };
}

/** Whose name does not matter: it is never looked up. */
const origin = "https://answers.ledge";

/**
 * KV behind Workers Cache: a hit there does not reach KV. It keeps an answer until that is stale, so a newer one of the same
 * slot is seen late, though never a purged one, as a purge is another slot. Writing goes to KV.
 */
export function cachedSealedBytes(answers: () => Pick<Fetcher, "fetch">, kv: SealedBytes): SealedBytes {
  return {
    async get(slot) {
      const response = await answers().fetch(`${origin}/${encodeURIComponent(slot)}`);
      if (response.status === 200) return new Uint8Array(await response.arrayBuffer());
      await response.body?.cancel();
      return undefined;
    },
    put: kv.put,
  };
}

/** What stands behind Workers Cache: `GET /<slot>` gives the sealed bytes, and says for how long they may be given again. */
export async function answerSealed(request: Request, answers: KVNamespace, nowMs: number): Promise<Response> {
  const slot = decodeURIComponent(new URL(request.url).pathname.slice(1));
  const { value, metadata } = await answers.getWithMetadata<Partial<Keep>>(slot, { type: "arrayBuffer", cacheTtl });
  const freshS = Math.floor(((metadata?.freshUntilMs ?? 0) - nowMs) / 1000);
  const cacheControl = value !== null && freshS > 0 ? `public, max-age=${freshS}` : "no-store";
  return new Response(value, {
    status: value === null ? 404 : 200,
    headers: { "Cache-Control": cacheControl, "Content-Type": "application/octet-stream" },
  });
}

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
