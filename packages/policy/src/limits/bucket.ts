import type { Limits } from "@ledge/contract";
import type { Measure } from "./amounts.ts";

/**
 * GCRA (the leaky bucket as a meter) in whole numbers: no rounding can leak or withhold a token.
 *
 * A bucket holds `limit` tokens and drains `limit` per window. Its backlog is in parts: a token is as many parts as the window
 * has steps, and each step drains `limit` parts, so both are whole. Over any span t it admits at most `limit + limit × t / window`.
 * See docs/decisions/0003-rate-limit.md.
 */

export interface Rate {
  /** Tokens per window, and the largest burst. A whole number from 1 to 10¹⁰, so that all parts of a bucket are exact. */
  readonly limit: number;
  /** Steps of the window: parts of a token. */
  readonly steps: number;
  readonly stepMs: number;
}

export interface Bucket {
  /** Parts that have not drained yet. More than the bucket holds where a call used more than it had reserved. */
  readonly backlog: number;
  /** When `backlog` was true, milliseconds since 1970; for an empty bucket, since when it is empty. */
  readonly atMs: number;
  /** The limit it was filled under. */
  readonly limit: number;
}

const second = { steps: 1_000, stepMs: 1 };
const minute = { steps: 60_000, stepMs: 1 };
const day = { steps: 86_400, stepMs: 1_000 };

/** The rate that a limit is; `undefined` for one of calls in flight, and for one that is not set. */
export function rateOf(limits: Limits, measure: Measure): Rate | undefined {
  const limit = limits[measure];
  if (limit === undefined || measure === "in_flight") return undefined;
  const { steps, stepMs } = measure.endsWith("second") ? second : measure.endsWith("day") ? day : minute;
  return { limit, steps, stepMs };
}

/** Milliseconds in which as much drains as the bucket holds. */
export function windowMsOf({ steps, stepMs }: Rate): number {
  return steps * stepMs;
}

export function emptyBucket({ limit }: Rate): Bucket {
  return { backlog: 0, atMs: 0, limit };
}

/** A clock that steps back drains nothing and forgives nothing. A changed limit is honoured at once. */
export function drained(rate: Rate, bucket: Bucket, nowMs: number): Bucket {
  const { limit, steps, stepMs } = rate;
  const backlog = bucket.limit === limit ? bucket.backlog : Math.min(bucket.backlog, limit * steps);
  const emptyAtMs = bucket.atMs + Math.ceil((backlog * stepMs) / limit);
  if (emptyAtMs <= nowMs) return { backlog: 0, atMs: emptyAtMs, limit };
  const passed = Math.max(0, Math.floor((nowMs - bucket.atMs) / stepMs));
  return { backlog: backlog - passed * limit, atMs: bucket.atMs + passed * stepMs, limit };
}

/**
 * Adds what was spent at `spentMs`, now or earlier. Into a bucket that has been empty for a while it goes when it was spent, and
 * drains from then on; otherwise it counts from now on, which can only admit less.
 */
export function filled(rate: Rate, bucket: Bucket, tokens: number, spentMs: number, nowMs: number): Bucket {
  const { backlog, atMs, limit } = drained(rate, bucket, nowMs);
  const more = backlog + tokens * rate.steps;
  return backlog > 0
    ? { backlog: more, atMs, limit }
    : drained(rate, { backlog: more, atMs: Math.max(atMs, spentMs), limit }, nowMs);
}

/** Parts that could be taken now. Negative after a call that used more than it had reserved. */
export function roomIn({ limit, steps }: Rate, { backlog }: Bucket): number {
  return limit * steps - backlog;
}

/** When no more than `parts` are left, milliseconds since 1970; in the past when that is so already. */
export function drainsTo({ limit, stepMs }: Rate, { backlog, atMs }: Bucket, parts: number): number {
  return atMs + Math.max(0, Math.ceil((backlog - parts) / limit)) * stepMs;
}
