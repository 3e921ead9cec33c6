import { fail, ok, type Result } from "@ledge/contract";
import { allows } from "@ledge/policy";
import type { Demand, Principal, Trail } from "../exchange.ts";
import { type Budget, reserve } from "./budget.ts";
import type { Identity } from "./identity.ts";
import type { Limit } from "./limit.ts";

const minuteMs = 60_000;

/** What admits a call, wired once an isolate. */
export interface Gate {
  readonly identity: Identity;
  readonly limit: Limit;
  readonly budget: Budget;
}

/**
 * Who is calling, may they do this, and may they do it now? What the call then holds of its limits is in the trail, and is
 * settled when it is over. Errors: those of {@link Identity.of}; `scope_denied`; `rate_limited`; those of {@link reserve}.
 */
export async function admit(
  request: Request,
  demand: Demand,
  { identity, limit, budget }: Gate,
  trail: Trail,
  background: (work: Promise<void>) => void,
): Promise<Result<Principal>> {
  const identified = await identity.of(request);
  if (!identified.ok) return identified;
  const principal = identified.value;
  trail.tenant = principal.tenant;
  if (!mayAsk(principal, demand)) return fail("scope_denied");
  const limited = await limitRate(principal, limit, trail, background);
  if (!limited.ok) return limited;
  const reserved = await reserve(budget, principal, demand, trail, background);
  return reserved.ok ? ok(principal) : reserved;
}

async function limitRate(
  { subject, standing }: Principal,
  limit: Limit,
  trail: Trail,
  background: (work: Promise<void>) => void,
): Promise<Result<true>> {
  const perMinute = standing.limits.key.requests_per_minute;
  if (perMinute === undefined) return ok(true);
  const rate = { limit: perMinute, windowMs: minuteMs };
  const decision = await limit.take({ subject, rate }, background);
  trail.rate = { rule: rate, decision };
  return decision.granted < 1 ? fail("rate_limited", { retryAfterMs: decision.retryAfterMs }) : ok(true);
}

function mayAsk({ scopes }: Principal, { action, model }: Demand): boolean {
  if (action === undefined) return true;
  return model === undefined ? scopes.some(({ actions }) => actions.includes(action)) : allows(scopes, action, model);
}
