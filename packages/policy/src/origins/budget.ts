/** How much extra work retries, or hedges, may be: every call earns a part of one, every one that is sent costs one. */
export interface BudgetRule {
  /** What a call earns. 0.1: one more for ten calls. */
  readonly earned: number;
  /** What there is before any call: the failover of the first calls. */
  readonly reserve: number;
  /** The most that is saved up. */
  readonly savedMax: number;
}

export interface Budget {
  readonly left: number;
}

export const retryBudget: BudgetRule = { earned: 0.1, reserve: 10, savedMax: 100 };
export const hedgeBudget: BudgetRule = { earned: 0.05, reserve: 0, savedMax: 10 };

export function fullBudget({ reserve }: BudgetRule): Budget {
  return { left: reserve };
}

/** A call came. */
export function earn({ earned, savedMax }: BudgetRule, { left }: Budget): Budget {
  return { left: Math.min(savedMax, left + earned) };
}

/** Whether one more may be sent. */
export function spend({ left }: Budget): readonly [boolean, Budget] {
  return left >= 1 ? [true, { left: left - 1 }] : [false, { left }];
}
