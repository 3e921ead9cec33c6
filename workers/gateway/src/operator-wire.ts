import { type CachePolicy, cacheEntryBytesMax, cacheTtlSMax } from "@ledge/contract";
import { edgeTier } from "./dispatch/edge.ts";
import type { OperatorEnv } from "./env.ts";
import { keptBy } from "./isolate.ts";
import type { CacheDesk } from "./operate/cache.ts";
import type { KeyDesk } from "./operate/keys.ts";
import type { ModelDesk } from "./operate/models.ts";
import type { AdminReader } from "./operate/ports.ts";
import type { RolloutDesk } from "./operate/rollouts.ts";
import type { UsageDesk } from "./operate/usage.ts";
import { digests, keyedHash } from "./platform/digests.ts";
import { type OperatorConfig, readOperatorConfig } from "./platform/operator-config.ts";
import { operatorPortsOf } from "./platform/ports-of.ts";

/** Everything an isolate of the operator Worker keeps between requests: what the desks of `operate/` work with, wired once. */
export type OperatorRuntime = ReturnType<typeof wire>;

/** The isolate's runtime. Errors: `internal_error` with every wrong variable in its cause, until the next deployment. */
export const runtimeOf = keptBy(readOperatorConfig, wire);

function wire(env: OperatorEnv, config: OperatorConfig) {
  const nowMs = () => Date.now();
  const ports = operatorPortsOf(env);
  const { directory, audits, closer, inference, registry, tallies, blockList } = ports;
  const making = {
    keyedHash: keyedHash(config.KEY_PEPPER),
    random: (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)),
    nowMs,
  };
  const keys: Omit<KeyDesk, "who" | "registers"> = {
    ...making,
    directory,
    closer,
    use: ports.use,
    requestsPerMinuteDefault: config.REQUESTS_PER_MINUTE_DEFAULT,
  };
  const models: Omit<ModelDesk, "who"> = {
    registry,
    blobs: ports.blobs,
    loader: edgeTier(inference, nowMs),
    digests,
    loadDeadlineMs: () => nowMs() + config.TIMEOUT_MS_MAX,
  };
  const usage: UsageDesk = { ledgers: ports.ledgers, published: ports.tenancy, nowMs };
  const rollouts: Omit<RolloutDesk, "models"> = { counter: tallies, newId: () => crypto.randomUUID(), nowMs };
  const cache: Omit<CacheDesk, "who"> = { keeper: ports.cacheKeeper, registry, defaults: cacheDefaults(config) };
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
    usage,
    blockList,
    counter: tallies,
    gatekeeper: gatekeeperOf(config, making.keyedHash, directory, nowMs),
  };
}

function gatekeeperOf(
  { ADMIN_KEY_HASH: adminKeyHash, ORIGIN_SECRET: originSecret }: OperatorConfig,
  hashed: (key: string) => string,
  admins: AdminReader,
  nowMs: () => number,
) {
  return { digests, adminKeyHash, originSecret, keyedHash: hashed, admins, nowMs };
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
