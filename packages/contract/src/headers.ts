/** Header names on the wire. Standard ones where a standard exists: RFC 9211 (Cache-Status), the IETF RateLimit draft. */
export const headers = {
  requestId: "Ledge-Request-Id",
  model: "Ledge-Model",
  tier: "Ledge-Tier",
  /** Milliseconds the caller still waits. Relative, so that clocks need not agree. */
  timeoutMs: "Ledge-Timeout-Ms",
  /** Whose arm of a rollout a call belongs to; without it the API key's or token's. */
  stickyKey: "Ledge-Sticky-Key",
  cacheStatus: "Cache-Status",
  rateLimit: "RateLimit",
  rateLimitPolicy: "RateLimit-Policy",
  retryAfter: "Retry-After",
  serverTiming: "Server-Timing",
} as const;

/** Which tier answered: the inference Worker or the organisation's origin. */
export type Tier = "edge" | "origin";
