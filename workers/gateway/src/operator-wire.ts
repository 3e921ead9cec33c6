import { type CachePolicy, cacheEntryBytesMax, cacheTtlSMax } from "@ledge/contract";
import type { Caller } from "./caller.ts";
import { edgeTier } from "./dispatch/edge.ts";
import type { OperatorEnv } from "./env.ts";
import { keptBy } from "./isolate.ts";
import type { AdminDesk } from "./operate/admins.ts";
import type { CacheDesk } from "./operate/cache.ts";
import type { KeyDesk } from "./operate/keys.ts";
import type { ModelDesk } from "./operate/models.ts";
import type { Admin } from "./operate/operator.ts";
import type { RolloutDesk } from "./operate/rollouts.ts";
import type { TenantDesk } from "./operate/tenants.ts";
import type { TermsDesk } from "./operate/terms.ts";
import { digests, keyedHash } from "./platform/digests.ts";
import { type OperatorConfig, readOperatorConfig } from "./platform/operator-config.ts";
import { operatorPortsOf } from "./platform/ports-of.ts";

/** Everything an isolate of the operator Worker keeps between requests: the desks of `operate/`, wired once. */
export type OperatorRuntime = ReturnType<typeof wire>;

/** The isolate's runtime. Errors: `internal_error` with every wrong variable in its cause, until the next deployment. */
export const runtimeOf = keptBy(readOperatorConfig, wire);

function wire(env: OperatorEnv, config: OperatorConfig) {
  const nowMs = () => Date.now();
  const { directory, audits, closer, use, blobs, inference, registry, tallies, cacheKeeper } = operatorPortsOf(env);
  const making = {
    keyedHash: keyedHash(config.KEY_PEPPER),
    random: (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)),
    nowMs,
  };
  const keys: Omit<KeyDesk, "who" | "registers"> = {
    ...making,
    directory,
    closer,
    use,
    requestsPerMinuteDefault: config.REQUESTS_PER_MINUTE_DEFAULT,
  };
  const models: Omit<ModelDesk, "who"> = {
    registry,
    blobs,
    loader: edgeTier(inference, nowMs),
    digests,
    loadDeadlineMs: () => nowMs() + config.TIMEOUT_MS_MAX,
  };
  const rollouts: Omit<RolloutDesk, "models"> = { counter: tallies, newId: () => crypto.randomUUID(), nowMs };
  const cache: Omit<CacheDesk, "who"> = { keeper: cacheKeeper, registry, defaults: cacheDefaults(config) };
  return {
    config,
    keys,
    tenants: { directory, closer },
    terms: { directory, closer, registry },
    admins: { ...making, directory, closer },
    audits,
    models,
    rollouts,
    cache,
    counter: tallies,
    gatekeeper: {
      digests,
      adminKeyHash: config.ADMIN_KEY_HASH,
      originSecret: config.ORIGIN_SECRET,
      keyedHash: making.keyedHash,
      admins: directory,
      nowMs,
    },
  };
}

/** The desks as an admin finds them: what is changed at one is in the audit under the admin's name. */
export type Desks = ReturnType<typeof desksOf>;

export function desksOf(runtime: OperatorRuntime, admin: Admin) {
  const { name: who } = admin;
  const models: ModelDesk = { ...runtime.models, who };
  const keys: KeyDesk = { ...runtime.keys, who, registers: admin.scopes.includes("tenants:write") };
  const tenants: TenantDesk = { ...runtime.tenants, who };
  const terms: TermsDesk = { ...runtime.terms, who };
  const admins: AdminDesk = { ...runtime.admins, who, admin };
  const rollouts: RolloutDesk = { ...runtime.rollouts, models };
  const cache: CacheDesk = { ...runtime.cache, who };
  return { keys, tenants, terms, admins, models, rollouts, cache, audits: runtime.audits };
}

/** The desk for keys as a tenant's own key finds it: no other tenant is there. */
export function ownKeyDesk(runtime: OperatorRuntime, { subject, ...by }: Caller): KeyDesk {
  return { ...runtime.keys, who: subject, registers: false, by };
}

/** What the answer cache does where no policy says. */
function cacheDefaults(config: OperatorConfig): CachePolicy {
  return {
    enabled: true,
    ttl_s: config.CACHE_TTL_S,
    ttl_s_max: cacheTtlSMax,
    stale_while_revalidate_s: config.CACHE_STALE_WHILE_REVALIDATE_S,
    stale_if_error_s: config.CACHE_STALE_IF_ERROR_S,
    entry_bytes_max: cacheEntryBytesMax,
    vary: [],
    semantic: { enabled: false },
  };
}
