import type { CacheState, Keyring } from "@ledge/contract";
import type { TestEdge } from "./ledge.ts";

/** What a gateway asks of the cache's keeper. */
export interface Keeper {
  keyring(tenant: string, atLeast: number): Promise<Keyring>;
  newerThan(number: number): Promise<CacheState | undefined>;
}

/** The keeper itself, as a gateway reaches it. */
export async function keeperOf(edge: TestEdge): Promise<Keeper> {
  const keepers = await edge.miniflare.getDurableObjectNamespace("CACHE_KEEPER", "ledge-gateway");
  const keeper = keepers.getByName("cache") as unknown as Keeper;
  // Copies: what comes out of workerd is gone with it.
  const copied = async <T>(answer: Promise<T>): Promise<T> => {
    const value = await answer;
    return value === undefined ? value : JSON.parse(JSON.stringify(value));
  };
  return {
    keyring: (tenant, atLeast) => copied(keeper.keyring(tenant, atLeast)),
    newerThan: (number) => copied(keeper.newerThan(number)),
  };
}

/** What is published for gateways to read: the rules, and a tenant's keyring, `null` when nothing is; or put in its place. */
export async function publishedBy(edge: TestEdge) {
  const kv = await edge.miniflare.getKVNamespace("SNAPSHOTS", "ledge-gateway");
  const read = async (key: string) => JSON.parse(String(await kv.get(key)));
  return {
    rules: (): Promise<CacheState | null> => read("cache:current"),
    keyring: (tenant: string): Promise<Keyring | null> => read(`cache:keys:${tenant}`),
    putKeyring: (tenant: string, ring: Keyring) => kv.put(`cache:keys:${tenant}`, JSON.stringify(ring)),
  };
}
