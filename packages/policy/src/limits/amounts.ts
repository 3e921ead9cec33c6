import type { Limits } from "@ledge/contract";

/** What a limit is of: everything in `Limits` but the size of one body, which needs no counting. */
export type Measure = Exclude<keyof Limits, "input_bytes">;

/** So much of each measure. A measure that is absent is not asked for. */
export type Amounts = Readonly<Partial<Record<Measure, number>>>;

/** Amounts being worked out. */
export type Sums = Partial<Record<Measure, number>>;

export function measuresIn(amounts: Amounts): readonly Measure[] {
  return Object.keys(amounts) as Measure[];
}

/** A call's requests are spent by asking, whatever becomes of the call; its tokens are known when it has been answered. */
export function isRequests(measure: Measure): boolean {
  return measure.startsWith("requests");
}

export function add(sums: Sums, measure: Measure, amount: number): void {
  sums[measure] = (sums[measure] ?? 0) + amount;
}

export function covers(pool: Amounts, call: Amounts): boolean {
  return measuresIn(call).every((measure) => (pool[measure] ?? 0) >= (call[measure] ?? 0));
}

export interface CallTokens {
  readonly input: number;
  readonly output: number;
}

/** What a call takes of each limit; `tokens` absent: it asks no model, and is answered at once. */
export function amountsOf(limits: Limits, tokens: CallTokens | undefined): Amounts {
  const amounts: Sums = {};
  const all = Object.keys(limits) as (keyof Limits)[];
  for (const limit of all) {
    if (limit === "input_bytes" || limits[limit] === undefined) continue;
    const amount = amountOf(limit, tokens);
    if (amount !== undefined) amounts[limit] = amount;
  }
  return amounts;
}

function amountOf(measure: Measure, tokens: CallTokens | undefined): number | undefined {
  if (isRequests(measure)) return 1;
  if (tokens === undefined) return undefined;
  if (measure === "in_flight") return 1;
  if (measure === "input_tokens_per_minute") return tokens.input;
  return measure === "output_tokens_per_minute" ? tokens.output : tokens.input + tokens.output;
}
