import { fail, headers, ok, type Result } from "@ledge/contract";
import { cacheWish, type DeadlineRule, timeoutOf } from "@ledge/policy";
import type { Envelope } from "../exchange.ts";

/** A caller's own id is kept when it is short and plain, so that it can be found in their logs and ours. */
const requestIdPattern = /^[A-Za-z0-9._:-]{1,64}$/;

export function requestIdOf(request: Request): string {
  const given = request.headers.get(headers.requestId);
  return given !== null && requestIdPattern.test(given) ? given : crypto.randomUUID();
}

const stickyKeyPattern = /^[A-Za-z0-9._:@-]{1,128}$/;

/** Reads the deadline, the sticky key and what the caller wants of the cache. Errors: `invalid_header`. */
export function readEnvelope(
  request: Request,
  requestId: string,
  startedMs: number,
  rule: DeadlineRule,
): Result<Envelope> {
  const timeoutMs = timeoutOf(rule, request.headers.get(headers.timeoutMs));
  if (timeoutMs === undefined) {
    return fail("invalid_header", { detail: `${headers.timeoutMs} takes a whole number of milliseconds, 1 or more.` });
  }
  const stickyKey = request.headers.get(headers.stickyKey);
  if (stickyKey !== null && !stickyKeyPattern.test(stickyKey)) {
    return fail("invalid_header", { detail: `${headers.stickyKey} takes 1 to 128 of A-Z, a-z, 0-9 and ._:@-.` });
  }
  const cache = cacheWish((name) => request.headers.get(name));
  if ("wrong" in cache) return fail("invalid_header", { detail: cache.wrong });
  const sticky = stickyKey === null ? {} : { stickyKey };
  return ok({ requestId, startedMs, deadlineMs: startedMs + timeoutMs, cache, ...sticky });
}
