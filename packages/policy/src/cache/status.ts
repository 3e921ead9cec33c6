/** Where a kept answer was found. */
export type CacheLayer = "memory" | "kv" | "workers-cache";

/** How the cache handled a request, in the terms of RFC 9211. */
export type CacheOutcome = (CacheHit | CacheForward) & {
  /** Names the entry: 32 hex digits. */
  readonly id?: string;
  /** Names what was kept: the answer's entity tag. */
  readonly etag?: string;
  /** Kept answers found that could not be opened: an alarm, not an answer. */
  readonly unsealed?: number;
};

export interface CacheHit {
  readonly kind: "hit";
  readonly layer: CacheLayer;
  /** What is left of its freshness, seconds; negative when it is stale. */
  readonly ttlS: number;
  /** Seconds since the answer was made. */
  readonly ageS: number;
  /** Why it was given though it is stale; absent when it is fresh or the caller took a stale one. */
  readonly stale?: "stale-while-revalidate";
  /** The entry that answered a prompt that means the same. */
  readonly semantic?: { readonly similarity: number; readonly probability: number; readonly id: string };
}

export interface CacheForward {
  readonly kind: "forward";
  readonly why: "miss" | "request" | "bypass" | "stale";
  readonly stored: boolean;
  /** Answered by the work of an equal call. */
  readonly collapsed?: boolean;
  /** Why nothing was looked up or kept, where that is known. */
  readonly detail?: string;
  /** Of a stale answer given because whoever was asked failed: its status, and what is left of the freshness, seconds. */
  readonly failed?: { readonly status: number; readonly ttlS: number; readonly ageS: number };
}

/** The `Cache-Status` header (RFC 9211) of an outcome. */
export function cacheStatus(outcome: CacheOutcome): string {
  const key = outcome.id === undefined ? "" : `; key="${outcome.id}"`;
  if (outcome.kind === "hit") return `Ledge; hit; ttl=${outcome.ttlS}${key}; detail=${hitDetail(outcome)}`;
  const { why, stored, collapsed, detail, failed } = outcome;
  if (failed !== undefined) {
    return `Ledge; fwd=stale; fwd-status=${failed.status}; ttl=${failed.ttlS}${key}; detail=stale-if-error`;
  }
  const kept = collapsed === true ? "; collapsed" : stored ? "; stored" : "";
  return `Ledge; fwd=${why}${kept}${why === "bypass" ? "" : key}${detail === undefined ? "" : `; detail=${detail}`}`;
}

function hitDetail({ layer, stale, semantic }: CacheHit): string {
  if (semantic === undefined) return stale ?? layer;
  const { similarity, probability, id } = semantic;
  return `"semantic; similarity=${similarity.toFixed(3)}; probability=${probability.toFixed(3)}; id=${id}"`;
}

/** The `Age` header (RFC 9111 §5.1) of an outcome, seconds; absent when the answer was made for this call. */
export function ageOf(outcome: CacheOutcome): number | undefined {
  return outcome.kind === "hit" ? outcome.ageS : outcome.failed?.ageS;
}

/** What is counted of an outcome: names of events. */
export function cacheEvents(outcome: CacheOutcome): readonly string[] {
  const alarms = outcome.unsealed === undefined ? [] : ["unsealed"];
  if (outcome.kind === "hit") {
    const hit = outcome.semantic === undefined ? `hit-${outcome.layer}` : "hit-semantic";
    return [hit, ...(outcome.ttlS <= 0 ? ["stale"] : []), ...alarms];
  }
  if (outcome.failed !== undefined) return ["stale-if-error", ...alarms];
  if (outcome.collapsed === true) return ["collapsed", ...alarms];
  return [outcome.why, ...(outcome.stored ? ["stored"] : []), ...alarms];
}
