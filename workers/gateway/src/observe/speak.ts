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
    [headers.serverTiming]: serverTiming(trail, totalMs),
  };
  if (trail.cache !== undefined) sayKept(out, trail.cache);
  if (trail.model !== undefined) out[headers.model] = `${trail.model.name}@${trail.model.version}`;
  if (trail.tier !== undefined) out[headers.tier] = trail.tier;
  if (trail.origin !== undefined) out[headers.origin] = trail.origin;
  if (trail.offer !== undefined) out[headers.jobOffer] = trail.offer;
  if (trail.flags !== undefined) out[headers.inputFlags] = trail.flags.join(", ");
  if (trail.limits !== undefined && trail.limits.length > 0) sayLimits(out, trail.limits);
  if (trail.outputLimit !== undefined) {
    out[headers.outputLimit] = `${trail.outputLimit.tokens}; policy=${trail.outputLimit.policy}`;
  }
  if (trail.cost !== undefined && trail.payment !== undefined)
    out[headers.cost] = costText(trail.cost, trail.payment.currency);
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

/** draft-ietf-httpapi-ratelimit-headers: every policy that applied, then what is left of each and when it is whole again. */
function sayLimits(out: Record<string, string>, limits: NonNullable<Trail["limits"]>): void {
  const [policies, states]: [string[], string[]] = [[], []];
  for (const { name, unit, limit, windowMs, left, resetMs } of limits) {
    const window = windowMs === undefined ? "" : `;w=${Math.ceil(windowMs / 1000)}`;
    policies.push(`"${name}";q=${limit}${units[unit]}${window}`);
    states.push(`"${name}";r=${left}${windowMs === undefined ? "" : `;t=${Math.ceil(resetMs / 1000)}`}`);
  }
  out[headers.rateLimitPolicy] = policies.join(", ");
  out[headers.rateLimit] = states.join(", ");
}

/** Requests are what the draft means where no unit is said; it has no word for tokens. */
const units = { requests: "", tokens: ';qu="tokens"', calls: ';qu="concurrent-requests"' } as const;

/** Adds what a refusal says beside its body: when to come back, and how to authenticate (RFC 6750). */
export function sayFault(reply: Reply, fault: Fault): Reply {
  const out = { ...reply.headers };
  if (fault.retryAfterMs !== undefined || errors[fault.code].retryable) {
    out[headers.retryAfter] = String(retryAfterSeconds(fault.retryAfterMs ?? 1_000));
  }
  if (errors[fault.code].status === 401) out["WWW-Authenticate"] = 'Bearer realm="ledge"';
  return { ...reply, headers: out };
}

function serverTiming({ timings, placed }: Trail, totalMs: number): string {
  let text = `total;dur=${totalMs}`;
  if (placed !== undefined) text += `, place;desc=${placed}`;
  for (const stage in timings) text += `, ${stage};dur=${timings[stage]}`;
  return text;
}
