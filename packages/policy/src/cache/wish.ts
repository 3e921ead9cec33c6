import { cacheTtlSMax, headers } from "@ledge/contract";

/** What a request asks of the answer cache: `Cache-Control` (RFC 9111 §5.2.1) and Ledge's own headers. */
export interface CacheWish {
  /** False with `no-cache` or `no-store`: the caller wants a fresh answer. */
  readonly lookup: boolean;
  /** False with `no-store`: nothing of this exchange may be kept. */
  readonly store: boolean;
  /** `only-if-cached`: nobody is to be asked. */
  readonly onlyIfCached: boolean;
  /** `max-age`, `min-fresh`, `max-stale`: seconds; without a value `max-stale` takes any age. */
  readonly maxAgeS?: number;
  readonly minFreshS?: number;
  readonly maxStaleS?: number;
  /** How long the answer to this call is fresh, seconds. */
  readonly ttlS?: number;
  /** A partition of the cache, on top of everything else that tells answers apart. */
  readonly partition: string;
  /** For purging what this call keeps. */
  readonly tags: readonly string[];
  /** Whether an answer to a prompt that means the same will do; absent: as the policy says. */
  readonly semantic?: boolean;
}

/** What a request without a word about the cache asks for. */
export const plainWish: CacheWish = { lookup: true, store: true, onlyIfCached: false, partition: "", tags: [] };

const namePattern = /^[A-Za-z0-9._:@-]{1,128}$/;
const tagPattern = /^[A-Za-z0-9._:@-]{1,64}$/;
const tagsMax = 8;

/** A header that cannot be taken, and what it takes. */
export interface WrongHeader {
  readonly wrong: string;
}

/** Reads the wish from a request's headers; `read` gives a header's value. Nothing out of range is changed silently. */
export function cacheWish(read: (name: string) => string | null): CacheWish | WrongHeader {
  const control = directivesOf(read("Cache-Control"));
  if ("wrong" in control) return control;
  const own = ownWish(read);
  return "wrong" in own ? own : { ...plainWish, ...control, ...own };
}

/** Directives are case-insensitive; unknown ones are ignored, as RFC 9111 §5.2.3 asks. */
function directivesOf(cacheControl: string | null): Partial<CacheWish> | WrongHeader {
  if (cacheControl === null) return {};
  const said = new Map<string, string | undefined>();
  for (const part of cacheControl.split(",")) {
    const [name = "", value] = part.split("=", 2);
    said.set(name.trim().toLowerCase(), value?.trim());
  }
  const noStore = said.has("no-store");
  const numbers: { maxAgeS?: number; minFreshS?: number; maxStaleS?: number } = {};
  for (const [name, member] of [
    ["max-age", "maxAgeS"],
    ["min-fresh", "minFreshS"],
    ["max-stale", "maxStaleS"],
  ] as const) {
    if (!said.has(name)) continue;
    const seconds = secondsOf(name, said.get(name));
    if (seconds === undefined) return { wrong: `${name} of Cache-Control takes a whole number of seconds.` };
    numbers[member] = seconds;
  }
  return {
    lookup: !noStore && !said.has("no-cache"),
    store: !noStore,
    onlyIfCached: said.has("only-if-cached"),
    ...numbers,
  };
}

/** RFC 9111 §5.2: a recipient takes the quoted form too. */
function secondsOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return name === "max-stale" ? Number.POSITIVE_INFINITY : undefined;
  const digits = /^(?:([0-9]{1,15})|"([0-9]{1,15})")$/.exec(value);
  return digits === null ? undefined : Number(digits[1] ?? digits[2]);
}

function ownWish(read: (name: string) => string | null): Partial<CacheWish> | WrongHeader {
  const [ttl, partition, tag, semantic] = [
    read(headers.cacheTtl),
    read(headers.cacheKey),
    read(headers.cacheTag),
    read(headers.cacheSemantic),
  ];
  if (ttl !== null && (!/^[0-9]{1,7}$/.test(ttl) || Number(ttl) < 1 || Number(ttl) > cacheTtlSMax)) {
    return { wrong: `${headers.cacheTtl} takes whole seconds, 1 to ${cacheTtlSMax}.` };
  }
  if (partition !== null && !namePattern.test(partition)) {
    return { wrong: `${headers.cacheKey} takes 1 to 128 of A-Z, a-z, 0-9 and ._:@-.` };
  }
  const tags = tag === null ? [] : [...new Set(tag.split(",").map((one) => one.trim()))];
  if (tags.length > tagsMax || !tags.every((one) => tagPattern.test(one))) {
    return { wrong: `${headers.cacheTag} takes at most ${tagsMax} tags of 1 to 64 of A-Z, a-z, 0-9 and ._:@-.` };
  }
  if (semantic !== null && semantic !== "on" && semantic !== "off") {
    return { wrong: `${headers.cacheSemantic} takes 'on' or 'off'.` };
  }
  return {
    ...(ttl === null ? {} : { ttlS: Number(ttl) }),
    ...(partition === null ? {} : { partition }),
    ...(tag === null ? {} : { tags }),
    ...(semantic === null ? {} : { semantic: semantic === "on" }),
  };
}
