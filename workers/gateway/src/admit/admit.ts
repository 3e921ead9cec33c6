import { fail, ok, type Result } from "@ledge/contract";
import { allows } from "@ledge/policy";
import type { Demand, Principal, Trail } from "../exchange.ts";
import type { Identity } from "./identity.ts";
import type { Limit } from "./limit.ts";
import type { Offences } from "./offences.ts";

const minuteMs = 60_000;

/** What admits a call, wired once an isolate. */
export interface Gate {
  readonly identity: Identity;
  readonly offences: Offences;
  readonly limit: Limit;
}

/**
 * Who is calling, may they do this, and may they do it now? What the call then holds of its limits is in the trail, and is
 * settled when it is over. Errors: those of {@link Identity.of}; `caller_blocked`; `scope_denied`; `rate_limited`.
 */
export async function admit(
  request: Request,
  demand: Demand,
  { identity, offences, limit }: Gate,
  trail: Trail,
  background: (work: Promise<void>) => void,
): Promise<Result<Principal>> {
  const identified = await identity.of(request);
  if (!identified.ok) return await offences.refuse(request, identified.fault, background);
  const principal = identified.value;
  trail.tenant = principal.tenant;
  trail.subject = principal.subject;
  const passed = await offences.pass(principal.subject, background);
  if (!passed.ok) return passed;
  if (!mayAsk(principal, demand)) return fail("scope_denied");
  const perMinute = principal.standing.limits.key.requests_per_minute;
  if (perMinute === undefined) return ok(principal);
  const rate = { limit: perMinute, windowMs: minuteMs };
  const decision = await limit.take({ subject: principal.subject, rate }, background);
  trail.rate = { rule: rate, decision };
  return decision.granted < 1 ? fail("rate_limited", { retryAfterMs: decision.retryAfterMs }) : ok(principal);
}

function mayAsk({ scopes }: Principal, { action, model }: Demand): boolean {
  if (action === undefined) return true;
  return model === undefined ? scopes.some(({ actions }) => actions.includes(action)) : allows(scopes, action, model);
}
