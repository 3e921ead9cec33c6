import { type CallOutcome, cacheEvents, costText } from "@ledge/policy";
import type { Trail } from "../exchange.ts";
import type { Ledgers } from "./ports.ts";
import { rowOf } from "./row.ts";
import type { Tallies } from "./tally.ts";

/** What is to be known of an exchange to count it. */
export interface Recordable {
  readonly requestId: string;
  readonly startedMs: number;
  readonly trail: Trail;
  readonly runtime: { readonly tallies: Tallies; readonly accounts: Ledgers };
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** What the call holds is settled by what it used, once. */
function settle(trail: Trail): void {
  for (const hold of trail.holds ?? []) hold.settle(trail.used);
  delete trail.holds;
}

/** What it cost is known from then on. */
function keepRow(
  { trail, requestId, startedMs, runtime, waitUntil }: Recordable,
  endedMs: number,
  code?: string,
): void {
  const row = rowOf(trail, requestId, startedMs, endedMs, code);
  if (row === undefined || trail.payment === undefined) return;
  trail.cost = row.cost;
  const { principal, rules } = trail.payment;
  runtime.accounts.record(principal.tenant, rules, row, waitUntil);
}

/** Settles what a call holds, keeps its row, and counts one that was assigned to a version; `code` says how it failed, `canceled` that its caller left. */
export function recordCall(x: Recordable, endedMs: number, code: CallOutcome["code"]): void {
  settle(x.trail);
  keepRow(x, endedMs, code);
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

/** What a stream cost, as a comment behind its events: clients that read them as the standard says pass over it. */
export function costComment({ cost, payment }: Trail): string {
  return cost === undefined || payment === undefined ? "" : `: ledge-cost ${costText(cost, payment.currency)}\n\n`;
}
