import { type CachePolicy, cacheEntryBytesMax, cacheTtlSMax } from "@ledge/contract";

/** What holds for one call: the policies of deployment, model and tenant made into one, with nothing left out. */
export interface CacheRule {
  readonly enabled: boolean;
  readonly ttlS: number;
  readonly ttlSMax: number;
  readonly staleWhileRevalidateS: number;
  readonly staleIfErrorS: number;
  readonly entryBytesMax: number;
  readonly vary: readonly string[];
  /** Absent: everywhere for what the origin answers, in the isolate for what the edge does. */
  readonly collapse?: "everywhere" | "isolate" | "off";
  readonly semantic: NonNullable<CachePolicy["semantic"]>;
}

/** The tenant's word over the model's over the deployment's, member by member; `enabled: false` anywhere wins. */
export function cacheRule(deployment: CachePolicy, model: CachePolicy = {}, tenant: CachePolicy = {}): CacheRule {
  const said = { ...deployment, ...model, ...tenant };
  const levels = [deployment, model, tenant];
  const ttlSMax = said.ttl_s_max ?? cacheTtlSMax;
  const semantic = Object.assign({}, ...levels.map((level) => level.semantic ?? {}));
  const semanticOff = levels.some((level) => level.semantic?.enabled === false);
  return {
    enabled: levels.every((level) => level.enabled !== false),
    ttlS: Math.min(said.ttl_s ?? 3600, ttlSMax),
    ttlSMax,
    staleWhileRevalidateS: said.stale_while_revalidate_s ?? 0,
    staleIfErrorS: said.stale_if_error_s ?? 0,
    entryBytesMax: said.entry_bytes_max ?? cacheEntryBytesMax,
    vary: said.vary ?? [],
    ...(said.collapse === undefined ? {} : { collapse: said.collapse }),
    semantic: semanticOff ? { ...semantic, enabled: false } : semantic,
  };
}
