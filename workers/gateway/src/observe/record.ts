import { type CallOutcome, cacheEvents } from "@ledge/policy";
import type { Trail } from "../exchange.ts";
import type { Tallies } from "./tally.ts";

/** What is to be known of an exchange to count it. */
export interface Recordable {
  readonly startedMs: number;
  readonly trail: Trail;
  readonly runtime: { readonly tallies: Tallies };
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** What the call holds is settled by what it used, once. */
function settle(trail: Trail): void {
  for (const hold of trail.holds ?? []) hold.settle(trail.used);
  delete trail.holds;
}

/** Settles what a call holds, and counts one that was assigned to a version; `code` says how it failed, `canceled` that its caller left. */
export function recordCall(x: Recordable, endedMs: number, code: CallOutcome["code"]): void {
  settle(x.trail);
  const { model, arm, cache, work } = x.trail;
  if (model === undefined) return;
  const failed = cache?.kind === "forward" ? cache.failed : undefined;
  const kept = cache?.kind === "hit" || failed !== undefined;
  const layer = kept ? "hit" : cache?.why === "miss" ? "miss" : undefined;
  const outcome: CallOutcome = {
    endedMs,
    latencyMs: endedMs - x.startedMs,
    ...(code === undefined ? {} : { code }),
    ...(layer === undefined ? {} : { cache: layer }),
    ...(cache === undefined ? {} : { cacheEvents: cacheEvents(cache) }),
    ...(failed === undefined ? {} : { hidden: failed.code }),
    ...(work === undefined ? {} : { work }),
  };
  x.runtime.tallies.record({ model: model.name, version: model.version, arm }, outcome, x.waitUntil);
}
