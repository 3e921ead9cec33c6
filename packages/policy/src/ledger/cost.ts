import type { Amount, LedgerRow, Price, Tier, Used } from "@ledge/contract";

/** Micro-cents of a call. */
export interface Cost {
  /** What is charged. */
  readonly cost: number;
  /** What it would have cost without the cache. */
  readonly listCost: number;
  /** What the origin would have charged more for the same; 0 where it has no price of its own. */
  readonly edgeSaved: number;
}

/** What is to be known of a call to price it. */
export interface Priced {
  readonly tier: Tier | undefined;
  /** Answered by what was kept, or by the work of an equal call. */
  readonly kept: boolean;
  /** What was worked for it; absent when nothing was. */
  readonly used: Used | undefined;
  /** What the cache spared: what a kept answer had used when it was made. */
  readonly spared: Used | undefined;
}

const million = 1_000_000n;

/**
 * The price of a call: its parts are added up exactly and rounded once, half up. What is told of a call that was streamed and of
 * one that was not is the same, and so is what they cost.
 */
export function costOf(price: Price, { tier, kept, used, spared }: Priced): Cost {
  const share = BigInt(Math.round((price.cache_hit_share ?? 0) * 1_000_000));
  const call = BigInt(price.per_call ?? 0) * million;
  const worked = usedMillionths(price, used, tier);
  const saved = usedMillionths(price, spared, tier);
  const full = (kept ? 0n : call) + worked;
  const shared = (kept ? call : 0n) + saved;
  const cost = rounded(full * million + shared * share, million * million);
  const listCost = rounded(full + shared, million);
  const atOrigin = tier === "edge" && price.per_gpu_second !== undefined && !kept;
  const there = atOrigin ? rounded(call + usedMillionths(price, used, "origin"), million) : cost;
  return { cost, listCost, edgeSaved: Math.max(0, there - cost) };
}

/** The most that a call may cost: what is reserved of a quota of money before it is known. One second of time is taken for granted. */
export function costMax(price: Price, inputTokensMax: number, outputTokensMax: number): number {
  const used = { inputTokens: inputTokensMax, outputTokens: outputTokensMax, runMs: 1_000 };
  const [edge, origin] = (["edge", "origin"] as const).map(
    (tier) => costOf(price, { tier, kept: false, used, spared: undefined }).cost,
  );
  return Math.max(edge ?? 0, origin ?? 0);
}

/** In millionths of a micro-cent. */
function usedMillionths(price: Price, used: Used | undefined, tier: Tier | undefined): bigint {
  const { inputTokens = 0, outputTokens = 0, runMs = 0 } = used ?? {};
  const perSecond = (tier === "origin" ? price.per_gpu_second : price.per_edge_second) ?? 0;
  return (
    BigInt(inputTokens) * BigInt(price.per_million_input_tokens ?? 0) +
    BigInt(outputTokens) * BigInt(price.per_million_output_tokens ?? 0) +
    BigInt(Math.round(runMs * 1_000)) * BigInt(perSecond)
  );
}

function rounded(value: bigint, unit: bigint): number {
  return Number((value + unit / 2n) / unit);
}

/**
 * What of a row counts against quotas. What the cache answered takes no tokens; what failed before anything was worked for it
 * takes nothing.
 */
export function quotaUse({ cache, code, input_tokens, output_tokens, cost }: LedgerRow): Amount {
  const tokens = cache === "hit" || cache === "collapsed" ? 0 : input_tokens + output_tokens;
  const counts = code === undefined || tokens > 0 || cost > 0;
  return { calls: counts ? 1 : 0, tokens, microcents: cost };
}

const microcentsPerUnit = 100_000_000;

/** Micro-cents as the header says them: `0.00012345 USD`. */
export function costText(microcents: number, currency: string): string {
  const whole = Math.floor(microcents / microcentsPerUnit);
  const rest = String(microcents % microcentsPerUnit).padStart(8, "0");
  return `${whole}.${rest} ${currency}`;
}
