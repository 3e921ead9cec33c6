import { errors, type Fault, headers, retryAfterSeconds } from "@ledge/contract";
import { cacheStatus } from "@ledge/policy";
import type { Trail } from "../exchange.ts";

/** Puts on a response what every answer says: its id, its limits, its model and tier, what the cache did, the times. */
export function speak(response: Response, requestId: string, trail: Trail, totalMs: number): Response {
  const { headers: out } = response;
  out.set(headers.requestId, requestId);
  out.set(headers.cacheStatus, trail.cache === undefined ? "Ledge; fwd=bypass" : cacheStatus(trail.cache));
  if (trail.model !== undefined) out.set(headers.model, `${trail.model.name}@${trail.model.version}`);
  if (trail.tier !== undefined) out.set(headers.tier, trail.tier);
  if (trail.rate !== undefined) sayRate(out, trail.rate);
  out.set(headers.serverTiming, serverTiming(trail.timings, totalMs));
  return response;
}

/** draft-ietf-httpapi-ratelimit-headers: the policy, then what is left of it and when it is whole again. */
function sayRate(out: Headers, { rule, decision }: NonNullable<Trail["rate"]>): void {
  out.set(headers.rateLimitPolicy, `"requests";q=${rule.limit};w=${Math.ceil(rule.windowMs / 1000)}`);
  out.set(headers.rateLimit, `"requests";r=${decision.remaining};t=${Math.ceil(decision.resetMs / 1000)}`);
}

/** Adds what a refusal says beside its body: when to come back, and how to authenticate (RFC 6750). */
export function sayFault(response: Response, fault: Fault): Response {
  if (fault.retryAfterMs !== undefined || errors[fault.code].retryable) {
    response.headers.set(headers.retryAfter, String(retryAfterSeconds(fault.retryAfterMs ?? 1_000)));
  }
  if (errors[fault.code].status === 401) response.headers.set("WWW-Authenticate", 'Bearer realm="ledge"');
  return response;
}

function serverTiming(timings: Readonly<Record<string, number>>, totalMs: number): string {
  let text = `total;dur=${totalMs}`;
  for (const [stage, ms] of Object.entries(timings)) text += `, ${stage};dur=${ms}`;
  return text;
}
