import { errors, type Fault, headers, retryAfterSeconds } from "@ledge/contract";
import { ageOf, type CacheOutcome, cacheStatus, costText } from "@ledge/policy";
import type { Trail } from "../exchange.ts";
import type { Reply } from "../reply.ts";

/** Says what every answer says: its id, its limits, its model and tier, what the cache did, the time it took. */
export function speak(reply: Reply, requestId: string, trail: Trail, totalMs: number): Response {
  const out: Record<string, string> = {
    ...reply.headers,
    [headers.requestId]: requestId,
    [headers.cacheStatus]: trail.cache === undefined ? "Ledge; fwd=bypass" : cacheStatus(trail.cache),
    [headers.serverTiming]: serverTiming(trail.timings, totalMs),
  };
  if (trail.cache !== undefined) sayKept(out, trail.cache);
  if (trail.model !== undefined) out[headers.model] = `${trail.model.name}@${trail.model.version}`;
  if (trail.tier !== undefined) out[headers.tier] = trail.tier;
  if (trail.cost !== undefined && trail.payment !== undefined)
    out[headers.cost] = costText(trail.cost, trail.payment.currency);
  if (trail.rate !== undefined) sayRate(out, trail.rate);
  // A body that was compressed here must not be compressed by the runtime for the header that says so.
  const encodeBody = out["Content-Encoding"] === undefined ? "automatic" : "manual";
  return new Response(reply.body, { status: reply.status, headers: out, encodeBody });
}

/** What is kept of the answer, and how old it is (RFC 9110 §8.8.3, RFC 9111 §5.1). */
function sayKept(out: Record<string, string>, outcome: CacheOutcome): void {
  if (outcome.etag !== undefined) out.ETag = outcome.etag;
  const ageS = ageOf(outcome);
  if (ageS !== undefined) out.Age = String(ageS);
}

/**
 * 304 in place of an answer that the caller says it has: `If-None-Match` (RFC 9110 §13.1.2) by weak comparison. The paths of
 * models take POST; a call is as safe as a GET, so it is answered like one.
 */
export function sayUnchanged(reply: Reply, ifNoneMatch: string | null, { cache }: Trail): Reply {
  const etag = cache?.etag;
  if (ifNoneMatch === null || etag === undefined || reply.status !== 200) return reply;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (!tags.includes("*") && !tags.includes(etag.replace(/^W\//, ""))) return reply;
  return { status: 304, body: null, headers: {} };
}

/** draft-ietf-httpapi-ratelimit-headers: the policy, then what is left of it and when it is whole again. */
function sayRate(out: Record<string, string>, { rule, decision }: NonNullable<Trail["rate"]>): void {
  out[headers.rateLimitPolicy] = `"requests";q=${rule.limit};w=${Math.ceil(rule.windowMs / 1000)}`;
  out[headers.rateLimit] = `"requests";r=${decision.remaining};t=${Math.ceil(decision.resetMs / 1000)}`;
}

/** Adds what a refusal says beside its body: when to come back, and how to authenticate (RFC 6750). */
export function sayFault(reply: Reply, fault: Fault): Reply {
  const out = { ...reply.headers };
  if (fault.retryAfterMs !== undefined || errors[fault.code].retryable) {
    out[headers.retryAfter] = String(retryAfterSeconds(fault.retryAfterMs ?? 1_000));
  }
  if (errors[fault.code].status === 401) out["WWW-Authenticate"] = 'Bearer realm="ledge"';
  return { ...reply, headers: out };
}

function serverTiming(timings: Readonly<Record<string, number>>, totalMs: number): string {
  let text = `total;dur=${totalMs}`;
  for (const stage in timings) text += `, ${stage};dur=${timings[stage]}`;
  return text;
}
