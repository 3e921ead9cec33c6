import type { LedgerRow, Used } from "@ledge/contract";
import { type CacheOutcome, costOf } from "@ledge/policy";
import type { Trail } from "../exchange.ts";

/** How a call that is over stands in its tenant's ledger; `undefined` for one that nobody pays for. */
export function rowOf(
  trail: Trail,
  requestId: string,
  startedMs: number,
  endedMs: number,
  code: string | undefined,
): LedgerRow | undefined {
  const { payment, model, tier, arm, used, spared } = trail;
  if (payment === undefined || model === undefined) return undefined;
  const { call, principal, action, price } = payment;
  const cache = cacheOf(trail.cache);
  const kept = cache === "hit" || cache === "collapsed";
  const charged = code === undefined || used !== undefined;
  const { cost, listCost, edgeSaved } = charged
    ? costOf(price, { tier, kept, used, spared })
    : { cost: 0, listCost: 0, edgeSaved: 0 };
  const { keyId: key, user, project } = principal;
  return {
    id: call,
    request_id: requestId,
    at_ms: endedMs,
    ...(key === undefined ? {} : { key }),
    ...(user === undefined ? {} : { user }),
    ...(project === undefined ? {} : { project }),
    model: model.name,
    version: model.version,
    action,
    ...(tier === undefined ? {} : { tier }),
    cache,
    input_tokens: tokens("inputTokens", used, spared),
    output_tokens: tokens("outputTokens", used, spared),
    cost,
    list_cost: listCost,
    ...(edgeSaved === 0 ? {} : { edge_saved: edgeSaved }),
    latency_ms: Math.max(0, endedMs - startedMs),
    ...(arm === undefined ? {} : { arm: `${arm.rollout.id}:${arm.version}` }),
    ...(code === undefined ? {} : { code }),
  };
}

function tokens(of: "inputTokens" | "outputTokens", used: Used | undefined, spared: Used | undefined): number {
  return (used?.[of] ?? 0) + (spared?.[of] ?? 0);
}

function cacheOf(outcome: CacheOutcome | undefined): LedgerRow["cache"] {
  if (outcome === undefined) return "bypass";
  if (outcome.kind === "hit" || outcome.failed !== undefined) return "hit";
  if (outcome.collapsed === true) return "collapsed";
  return outcome.why === "bypass" ? "bypass" : "miss";
}
