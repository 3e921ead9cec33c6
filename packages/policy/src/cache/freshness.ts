import type { CacheRule } from "./rule.ts";
import type { CacheWish } from "./wish.ts";

/** When an answer was made and until when it is fresh, milliseconds since 1970. */
export interface AnswerTimes {
  readonly createdAtMs: number;
  readonly freshUntilMs: number;
}

export type Freshness =
  /** It answers. */
  | { readonly kind: "fresh" }
  /** It answers though it is stale; `refresh`: a fresh one is to be fetched behind it. */
  | { readonly kind: "stale"; readonly refresh: boolean; readonly asked: boolean }
  /** It does not answer, unless `ifError` and whoever is asked instead fails. */
  | { readonly kind: "spent"; readonly ifError: boolean };

/** Whether a kept answer serves this call: RFC 9111 §4.2 with the request's directives, RFC 5861 for the stale windows. */
export function freshnessOf(
  { createdAtMs, freshUntilMs }: AnswerTimes,
  rule: Pick<CacheRule, "staleWhileRevalidateS" | "staleIfErrorS">,
  wish: Pick<CacheWish, "maxAgeS" | "minFreshS" | "maxStaleS">,
  nowMs: number,
): Freshness {
  const { maxAgeS = Number.POSITIVE_INFINITY, minFreshS = 0, maxStaleS } = wish;
  // By the caller's own limit it may be over sooner.
  const untilMs = Math.min(freshUntilMs, createdAtMs + maxAgeS * 1000);
  const young = nowMs - createdAtMs <= maxAgeS * 1000;
  if (nowMs < freshUntilMs && young && freshUntilMs - nowMs >= minFreshS * 1000) return { kind: "fresh" };
  const refresh = nowMs < freshUntilMs + rule.staleWhileRevalidateS * 1000;
  if (maxStaleS !== undefined && wish.minFreshS === undefined && nowMs - untilMs <= maxStaleS * 1000) {
    return { kind: "stale", refresh, asked: true };
  }
  // Who says how fresh it must be does not get anything staler, whatever the windows.
  const patient = wish.maxAgeS === undefined && wish.minFreshS === undefined && maxStaleS === undefined;
  if (patient && refresh) return { kind: "stale", refresh: true, asked: false };
  return { kind: "spent", ifError: patient && nowMs < freshUntilMs + rule.staleIfErrorS * 1000 };
}

/** How long an answer that is fresh for `ttlS` is worth keeping, seconds. */
export function keepS(ttlS: number, rule: Pick<CacheRule, "staleWhileRevalidateS" | "staleIfErrorS">): number {
  return ttlS + Math.max(rule.staleWhileRevalidateS, rule.staleIfErrorS);
}
