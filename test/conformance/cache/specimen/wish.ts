import type { IncomingHttpHeaders } from "node:http";
import type { Fault } from "./faults.ts";

export interface CacheWish {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  /** Seconds. */
  readonly maxAgeS: number;
  readonly minFreshS: number;
  readonly maxStaleS: number;
  readonly ttlS: number | undefined;
  readonly partition: string;
  readonly tags: readonly string[];
  readonly ifNoneMatch: string | undefined;
  readonly timeoutMs: number;
}

/** What a call's headers ask of the cache; `undefined` when they are malformed or out of range. */
export function wishOf(headers: IncomingHttpHeaders, has: (fault: Fault) => boolean): CacheWish | undefined {
  const text = (name: string) => headers[name]?.toString();
  const deaf = has("hears no Cache-Control");
  const directives = new Map(
    (deaf ? "" : (text("cache-control") ?? "")).split(",").map((part): [string, string] => {
      const [name = "", value = ""] = part.trim().split("=");
      return [has("is strict about directives") ? name : name.toLowerCase(), value];
    }),
  );
  const seconds = (name: string, otherwise: number) => Number(directives.get(name) ?? otherwise);
  const ttl = text("ledge-cache-ttl");
  const partition = text("ledge-cache-key") ?? "";
  const inRange = ttl === undefined || (/^[0-9]{1,7}$/.test(ttl) && Number(ttl) >= 1 && Number(ttl) <= 2_592_000);
  if (!has("mends what is out of range") && (!inRange || !/^[\w.:@-]{0,128}$/.test(partition))) return undefined;
  return {
    noCache: directives.has("no-cache"),
    noStore: directives.has("no-store"),
    onlyIfCached: directives.has("only-if-cached"),
    maxAgeS: seconds("max-age", Number.POSITIVE_INFINITY),
    minFreshS: seconds("min-fresh", Number.NEGATIVE_INFINITY),
    maxStaleS: seconds("max-stale", 0),
    ttlS: ttl === undefined ? undefined : inRange ? Number(ttl) : 3_600,
    partition,
    tags: (text("ledge-cache-tag") ?? "").split(",").map((tag) => tag.trim()),
    ifNoneMatch: text("if-none-match"),
    timeoutMs: Number(text("ledge-timeout-ms") ?? 30_000),
  };
}
