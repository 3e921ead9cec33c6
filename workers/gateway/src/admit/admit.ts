import { fail, ok, type Result } from "@ledge/contract";
import { allows } from "@ledge/policy";
import type { Accounts } from "../accounts.ts";
import type { Demand, Principal, Trail } from "../exchange.ts";
import { reserve } from "./budget.ts";
import type { Identity } from "./identity.ts";
import type { Limit } from "./limit.ts";
import type { Offences } from "./offences.ts";
import { counted } from "./reserve.ts";
import type { Standings } from "./standings.ts";

/** What admits a call, wired once an isolate. */
export interface Gate {
  readonly identity: Identity;
  readonly standings: Standings;
  readonly offences: Offences;
  readonly limit: Limit;
  /** Tenants' money, calls and tokens, as this isolate knows them. */
  readonly accounts: Accounts;
}

/**
 * Who is calling, may they do this, and may they do it now? What the call then holds of its limits is in the trail, and is
 * settled when it is over. Errors: those of {@link Identity.of}; `caller_blocked`; `scope_denied`; those of {@link Limit.take}
 * and {@link reserve}.
 */
export async function admit(
  request: Request,
  demand: Demand,
  { identity, offences, standings, limit, accounts }: Gate,
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
  const terms = await standings.terms();
  if (!terms.ok) return terms;
  const say = (limits: NonNullable<Trail["limits"]>) => {
    trail.limits = limits;
  };
  const known = await counted(principal, demand, terms.value);
  const taken = await limit.take(principal, known, terms.value, say, background);
  if (!taken.ok) return taken;
  const { outputLimit } = taken.value;
  if (outputLimit !== undefined) {
    trail.outputLimit = { tokens: outputLimit, policy: principal.standing.tenant.overrun };
  }
  const reserved = await reserve(accounts, principal, known, terms.value, trail, background);
  if (!reserved.ok) {
    taken.value.release();
    return reserved;
  }
  const hold = taken.value.begin();
  if (hold !== undefined) trail.holds = [...(trail.holds ?? []), hold];
  return ok(principal);
}

function mayAsk({ scopes }: Principal, { action, model }: Demand): boolean {
  if (action === undefined) return true;
  return model === undefined ? scopes.some(({ actions }) => actions.includes(action)) : allows(scopes, action, model);
}
