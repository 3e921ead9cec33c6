import { fail, type Limits, ok, type Result, type TenantRecord, type Terms } from "@ledge/contract";
import { defaultTerms, type Standing, standingOf, unregistered } from "@ledge/policy";
import type { PublishedTenancy } from "../ports.ts";

/** What the directory changes is known in an isolate after this long. */
const rememberedMs = 5_000;
const tenantsMax = 10_000;

export interface StandingsDeps {
  readonly published: PublishedTenancy;
  /** Of a key or token that has none, in a plan that has none. */
  readonly keyLimits: Limits;
  readonly nowMs: () => number;
}

interface Known<T> {
  readonly value: T;
  readonly untilMs: number;
}

/** What holds for callers: tenants and terms as this isolate knows them. While they cannot be read, what was known holds. */
export class Standings {
  readonly #deps: StandingsDeps;
  readonly #tenants = new Map<string, Known<TenantRecord>>();
  #terms: Known<Terms> = { value: defaultTerms, untilMs: 0 };

  constructor(deps: StandingsDeps) {
    this.#deps = deps;
  }

  /** Errors: `tenant_suspended`; `identity_unavailable` when nothing is known and nothing can be read. */
  async of(who: {
    readonly tenant: string;
    readonly tier?: string | undefined;
    readonly limits?: Limits | undefined;
  }): Promise<Result<Standing>> {
    const [tenant, terms] = await Promise.all([this.#tenant(who.tenant), this.terms()]);
    if (!tenant.ok) return tenant;
    if (!terms.ok) return terms;
    if (tenant.value.state === "suspended") return fail("tenant_suspended");
    return ok(standingOf(who, tenant.value, terms.value, this.#deps.keyLimits));
  }

  /** Errors: `identity_unavailable`. */
  async terms(): Promise<Result<Terms>> {
    const { published, nowMs } = this.#deps;
    const known = this.#terms;
    if (nowMs() < known.untilMs) return ok(known.value);
    try {
      const value = (await published.terms()) ?? defaultTerms;
      this.#terms = { value, untilMs: nowMs() + rememberedMs };
      return ok(value);
    } catch (error) {
      return known.untilMs === 0 ? unavailable(error) : ok(known.value);
    }
  }

  async #tenant(name: string): Promise<Result<TenantRecord>> {
    const { published, nowMs } = this.#deps;
    const known = this.#tenants.get(name);
    if (known !== undefined && nowMs() < known.untilMs) return ok(known.value);
    try {
      const value = (await published.tenant(name)) ?? unregistered(name);
      this.#remember(name, { value, untilMs: nowMs() + rememberedMs });
      return ok(value);
    } catch (error) {
      return known === undefined ? unavailable(error) : ok(known.value);
    }
  }

  /** The oldest entry goes first: a Map keeps the order of insertion. */
  #remember(name: string, entry: Known<TenantRecord>): void {
    this.#tenants.delete(name);
    if (this.#tenants.size >= tenantsMax) {
      const oldest = this.#tenants.keys().next().value;
      if (oldest !== undefined) this.#tenants.delete(oldest);
    }
    this.#tenants.set(name, entry);
  }
}

function unavailable(cause: unknown): Result<never> {
  return fail("identity_unavailable", { retryAfterMs: 1_000, cause: String(cause) });
}
