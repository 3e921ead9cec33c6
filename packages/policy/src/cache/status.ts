import { type ErrorCode, errors } from "@ledge/contract";

/** Where a kept answer was found. */
export type CacheLayer = "memory" | "kv" | "workers-cache";

/** How the cache handled a request, in the terms of RFC 9211. */
export type CacheOutcome = (CacheHit | CacheForward) & {
  /** Names the entry: 32 hex digits. */
  readonly id?: string;
  /** Names what was kept: the answer's entity tag. */
  readonly etag?: string;
  /** Kept answers found that could not be opened: an alarm, not an answer. */
  readonly unsealed?: boolean;
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
  /** Of a stale answer given because whoever was asked failed: how, and as {@link CacheHit}. */
  readonly failed?: { readonly code: ErrorCode; readonly ttlS: number; readonly ageS: number };
}

/** The `Cache-Status` header (RFC 9211) of an outcome. */
export function cacheStatus(outcome: CacheOutcome): string {
  const key = outcome.id === undefined ? "" : `; key="${outcome.id}"`;
  if (outcome.kind === "hit") return `Ledge; hit; ttl=${outcome.ttlS}${key}; detail=${hitDetail(outcome)}`;
  const { why, stored, collapsed, detail, failed } = outcome;
  if (failed !== undefined) {
    return `Ledge; fwd=stale; fwd-status=${errors[failed.code].status}; ttl=${failed.ttlS}${key}; detail=stale-if-error`;
  }
  const kept = collapsed === true ? "; collapsed" : stored ? "; stored" : "";
  return `Ledge; fwd=${why}${kept}${why === "bypass" ? "" : key}${detail === undefined ? "" : `; detail=${detail}`}`;
}

function hitDetail({ layer, stale, semantic }: CacheHit): string {
  if (semantic === undefined) return stale ?? layer;
  const { similarity, probability, id } = semantic;
  return `"semantic; similarity=${similarity.toFixed(3)}; probability=${probability.toFixed(3)}; id=${id}"`;
}

/** Whether the answer was not made for this call: it was kept, or an equal call's work. */
export function isKept(outcome: CacheOutcome): boolean {
  return outcome.kind === "hit" || outcome.failed !== undefined || outcome.collapsed === true;
}

/** The `Age` header (RFC 9111 §5.1) of an outcome, seconds; absent when the answer was made for this call. */
export function ageOf(outcome: CacheOutcome): number | undefined {
  return outcome.kind === "hit" ? outcome.ageS : outcome.failed?.ageS;
}

/**
 * How a call is reported that was answered in several parts, each of its own entry: as a hit when all parts were, as stale as
 * the stalest. `etag` is that of them all.
 */
export function joinedOutcome(parts: readonly CacheOutcome[], etag: string | undefined): CacheOutcome | undefined {
  const [first, ...others] = parts;
  if (first === undefined || others.length === 0) return first;
  const { id: _id, etag: _etag, ...asked } = parts.find(({ kind }) => kind !== "hit") ?? stalest(parts) ?? first;
  const unsealed = parts.some((part) => part.unsealed === true);
  return { ...asked, ...(etag === undefined ? {} : { etag }), ...(unsealed ? { unsealed } : {}) };
}

function stalest(parts: readonly CacheOutcome[]): CacheOutcome | undefined {
  const hits = parts.filter((part) => part.kind === "hit");
  return hits.toSorted((a, b) => a.ttlS - b.ttlS)[0];
}

/** Everything that is counted of the cache, for the operator. `unsealed` is an alarm: what lies in a store is not what was put there. */
export const cacheEventNames = [
  "hit-memory",
  "hit-kv",
  "hit-workers-cache",
  "hit-semantic",
  "stale",
  "stale-if-error",
  "miss",
  "request",
  "bypass",
  "collapsed",
  "stored",
  "unsealed",
  "feedback-wrong",
] as const;
export type CacheEvent = (typeof cacheEventNames)[number];

/** What is counted of an outcome. */
export function cacheEvents(outcome: CacheOutcome): readonly CacheEvent[] {
  const events: CacheEvent[] = outcome.kind === "hit" ? hitEvents(outcome) : forwardEvents(outcome);
  return outcome.unsealed === true ? [...events, "unsealed"] : events;
}

function hitEvents({ layer, ttlS, semantic }: CacheHit): CacheEvent[] {
  return [semantic === undefined ? `hit-${layer}` : "hit-semantic", ...(ttlS < 0 ? (["stale"] as const) : [])];
}

function forwardEvents({ why, stored, collapsed, failed }: CacheForward): CacheEvent[] {
  if (failed !== undefined || why === "stale") return ["stale-if-error"];
  return collapsed === true ? ["collapsed"] : [why, ...(stored ? (["stored"] as const) : [])];
}
