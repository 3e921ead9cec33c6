import { fail, ok, type Result } from "@ledge/contract";
import type { Admission, Trail } from "../exchange.ts";
import type { Identity } from "./identity.ts";
import type { Limit } from "./limit.ts";

/** Who is calling, and may they call now? Errors: those of {@link Identity.of}; `rate_limited`. */
export async function admit(
  request: Request,
  identity: Identity,
  limit: Limit,
  trail: Trail,
  background: (work: Promise<void>) => void,
): Promise<Result<Admission>> {
  const principal = await identity.of(request);
  if (!principal.ok) return principal;
  trail.tenant = principal.value.tenant;
  const rate = await limit.take(principal.value, background);
  trail.rate = { rule: principal.value.rate, decision: rate };
  if (rate.granted < 1) return fail("rate_limited", { retryAfterMs: rate.retryAfterMs });
  return ok({ principal: principal.value, rate });
}
