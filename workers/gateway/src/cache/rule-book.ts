import type { CachePolicy, CacheState } from "@ledge/contract";
import { type CacheRule, cacheRule, epochOf, type PurgeSubject, scopesOf, tagsEpochOf } from "@ledge/policy";

/** Pairs of model and tenant whose rule is at hand. */
const rulesMax = 1_000;

/** One state of the cache's rules, with what follows from it at hand. */
export class RuleBook {
  readonly state: CacheState;
  readonly #defaults: CachePolicy;
  readonly #rules = new Map<string, CacheRule>();
  /** Of the latest purge of anything. */
  readonly #latestPurge: number;

  /** `defaults` holds where neither model nor tenant says anything. */
  constructor(state: CacheState, defaults: CachePolicy) {
    this.state = state;
    this.#defaults = defaults;
    this.#latestPurge = Object.values(state.purges).reduce((latest, { number }) => Math.max(latest, number), 0);
  }

  ruleOf({ model, tenant }: Pick<PurgeSubject, "model" | "tenant">): CacheRule {
    const name = `${model} ${tenant}`;
    const known = this.#rules.get(name);
    if (known !== undefined) return known;
    const { models, tenants } = this.state;
    const rule = cacheRule(this.#defaults, own(models, model), own(tenants, tenant));
    if (this.#rules.size >= rulesMax) this.#rules.clear();
    this.#rules.set(name, rule);
    return rule;
  }

  /** The change that made the tenant's keys what they are. */
  keysNumberOf(tenant: string): number {
    return own(this.state.keys, tenant) ?? 0;
  }

  /** Number of the latest purge of what this belongs to. */
  epochOf(subject: PurgeSubject): number {
    return this.#latestPurge === 0 ? 0 : epochOf(this.state, scopesOf(subject));
  }

  /** Number of the tenant's latest purge by any tag. */
  tagsEpochOf(tenant: string): number {
    return this.#latestPurge === 0 ? 0 : tagsEpochOf(this.state, tenant);
  }

  /** Whether nothing that this belongs to was purged after the state of this number. */
  outlives(number: number, subject: PurgeSubject): boolean {
    return number >= this.#latestPurge || this.epochOf(subject) <= number;
  }
}

/** What an object has of its own: models and tenants may be called as `Object`'s members are. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
