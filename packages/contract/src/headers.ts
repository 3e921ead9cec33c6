/** Header names on the wire. Standard ones where a standard exists: RFC 9211 (Cache-Status), the IETF RateLimit draft. */
export const headers = {
  requestId: "Ledge-Request-Id",
  model: "Ledge-Model",
  tier: "Ledge-Tier",
  /** Milliseconds the caller still waits. Relative, so that clocks need not agree. */
  timeoutMs: "Ledge-Timeout-Ms",
  /** When the caller stops waiting, milliseconds since 1970: what waits on its way to an origin loses time by it. */
  deadline: "Ledge-Deadline",
  /** Between edge and origin: how urgent a call is among those that wait for the same engine, `high`, `normal` or `low`. */
  priority: "Ledge-Priority",
  /** Of a request between edge and origin (`@ledge/policy/origins`). */
  signature: "Ledge-Signature",
  /** Which origin answered, and how it came to that: `eu-1; region=eu; attempts=2`. */
  origin: "Ledge-Origin",
  /** Set when another model answered than was asked: which one could not, and why. */
  fallback: "Ledge-Fallback",
  /** Of an origin that refuses: its model is asleep and can be woken, in about so many milliseconds. */
  waking: "Ledge-Waking",
  /** To the dispatch Worker: `short` when another model answers in place of one that wakes. */
  hold: "Ledge-Hold",
  /** To the dispatch Worker: the origin that is to be asked only when no other can. */
  avoid: "Ledge-Avoid",
  /** To the dispatch Worker: the continent that the caller is on, as Cloudflare names it. */
  continent: "Ledge-Continent",
  /** Whose arm of a rollout a call belongs to; without it the API key's or token's. */
  stickyKey: "Ledge-Sticky-Key",
  cacheStatus: "Cache-Status",
  /** How long the answer to this call is fresh, seconds. */
  cacheTtl: "Ledge-Cache-Ttl",
  /** A partition of the answer cache: added to what tells answers apart. */
  cacheKey: "Ledge-Cache-Key",
  /** Tags to purge the kept answer by. */
  cacheTag: "Ledge-Cache-Tag",
  /** Whether an answer to a prompt that means the same will do: `on` or `off`. */
  cacheSemantic: "Ledge-Cache-Semantic",
  /** What the tenant's policy flags in the input: `bidi, invisible`. */
  inputFlags: "Ledge-Input-Flags",
  rateLimit: "RateLimit",
  rateLimitPolicy: "RateLimit-Policy",
  /** The most tokens of an answer whose caller set no bound, and what becomes of a longer one: `256; policy=stop`. */
  outputLimit: "Ledge-Output-Limit",
  retryAfter: "Retry-After",
  /** Of a refusal: the call can be taken as a job by a caller that sends `Prefer` with this value. */
  jobOffer: "Ledge-Job-Offer",
  serverTiming: "Server-Timing",
  /** What the call cost: `0.00012345 USD`. */
  cost: "Ledge-Cost",
  /** To the origin: which call this is and who pays for it (`payerText`). */
  payer: "Ledge-Payer",
  /** Of the origin: tokens of the prompt, and milliseconds of the engine's time. */
  promptTokens: "Ledge-Prompt-Tokens",
  runMs: "Ledge-Run-Ms",
} as const;

/** Of the dispatch Worker: where the gateway says that a stream of an origin's broke off. The body is the code. */
export const brokenStreamPath = "/streams/broken";

/** Which tier answered: the inference Worker or the organisation's origin. */
export type Tier = "edge" | "origin";
