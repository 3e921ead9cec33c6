import {
  type Budget,
  earn,
  fullBudget,
  hedgeBudget,
  noQuantile,
  type Quantile,
  retryBudget,
  sampled,
  slowerThan95,
  slowest,
  spend,
} from "@ledge/policy/origins";

/** No hedge sooner: what is this fast does not need one. */
const hedgeAfterMsMin = 5;
const modelsMax = 1_000;

/** How many more requests an isolate may send, and when a call is slow. */
export class Allowance {
  #retries: Budget = fullBudget(retryBudget);
  #hedges: Budget = fullBudget(hedgeBudget);
  readonly #times = new Map<string, Quantile>();

  called(): void {
    this.#retries = earn(retryBudget, this.#retries);
    this.#hedges = earn(hedgeBudget, this.#hedges);
  }

  get hasRetry(): boolean {
    return spend(this.#retries)[0];
  }

  retried(): void {
    [, this.#retries] = spend(this.#retries);
  }

  get hasHedge(): boolean {
    return spend(this.#hedges)[0];
  }

  hedged(): void {
    [, this.#hedges] = spend(this.#hedges);
  }

  /** When a call of the model is slow enough to ask a second origin; `undefined` while that is not known. */
  hedgeAfterMs(model: string): number | undefined {
    const slowMs = slowerThan95(this.#times.get(model) ?? noQuantile);
    return slowMs === undefined ? undefined : Math.max(hedgeAfterMsMin, slowMs);
  }

  took(model: string, ms: number): void {
    const [oldest] = this.#times.keys();
    const before = this.#times.get(model);
    if (before === undefined && this.#times.size >= modelsMax && oldest !== undefined) this.#times.delete(oldest);
    this.#times.set(model, sampled(before ?? noQuantile, slowest, ms));
  }
}
