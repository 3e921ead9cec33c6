/** What a request's `Cache-Control` (RFC 9111 §5.2.1) asks of the answer cache. */
export interface CacheWish {
  /** False with `no-cache` or `no-store`: the caller wants a fresh answer. */
  readonly lookup: boolean;
  /** False with `no-store`: nothing of this exchange may be kept. */
  readonly store: boolean;
}

/** Directives are case-insensitive; unknown ones are ignored, as RFC 9111 §5.2.3 asks. */
export function cacheWish(cacheControl: string | null): CacheWish {
  if (cacheControl === null) return { lookup: true, store: true };
  const directives = cacheControl.split(",").map((part) => part.split("=", 1)[0]?.trim().toLowerCase());
  const noStore = directives.includes("no-store");
  return { lookup: !noStore && !directives.includes("no-cache"), store: !noStore };
}

/** How the cache handled a request, in the terms of RFC 9211. */
export type CacheOutcome =
  | { readonly kind: "hit"; readonly layer: "memory" | "kv"; readonly ttlS: number }
  | { readonly kind: "forward"; readonly why: "miss" | "request" | "bypass"; readonly stored: boolean };

/** The `Cache-Status` header (RFC 9211) of an outcome. */
export function cacheStatus(outcome: CacheOutcome): string {
  if (outcome.kind === "hit") return `Ledge; hit; ttl=${outcome.ttlS}; detail=${outcome.layer}`;
  return `Ledge; fwd=${outcome.why}${outcome.stored ? "; stored" : ""}`;
}
