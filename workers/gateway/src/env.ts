import type { IdentityService, InferenceService } from "@ledge/contract";
import type { Blocks } from "./platform/durable/blocks.ts";
import type { CacheKeeper } from "./platform/durable/cache-keeper.ts";
import type { Flight } from "./platform/durable/flight.ts";
import type { HotList } from "./platform/durable/hot-list.ts";
import type { Offender } from "./platform/durable/offender.ts";
import type { RateLimiter } from "./platform/durable/rate-limiter.ts";
import type { Registry } from "./platform/durable/registry.ts";
import type { SemanticIndex } from "./platform/durable/semantic-index.ts";
import type { Tally } from "./platform/durable/tally.ts";

/**
 * The bindings of each Worker's wrangler.jsonc, with what speaks RPC typed. `GatewayBindings` and `OperatorBindings` are
 * generated: the worker-configuration.d.ts beside each wrangler.jsonc.
 */

export interface GatewayEnv
  extends Omit<
    GatewayBindings,
    | "INFERENCE"
    | "IDENTITY"
    | "RATE_LIMITS"
    | "FLIGHTS"
    | "REGISTRY"
    | "TALLIES"
    | "CACHE_KEEPER"
    | "SEMANTIC_INDEX"
    | "OFFENDERS"
    | "BLOCKS"
    | "FLOOD_WALL"
  > {
  readonly INFERENCE: InferenceService;
  readonly IDENTITY: IdentityService;
  readonly FLIGHTS: DurableObjectNamespace<Flight>;
  readonly RATE_LIMITS: DurableObjectNamespace<RateLimiter>;
  readonly REGISTRY: DurableObjectNamespace<Registry>;
  readonly TALLIES: DurableObjectNamespace<Tally>;
  readonly CACHE_KEEPER: DurableObjectNamespace<CacheKeeper>;
  readonly SEMANTIC_INDEX: DurableObjectNamespace<SemanticIndex>;
  readonly OFFENDERS: DurableObjectNamespace<Offender>;
  readonly BLOCKS: DurableObjectNamespace<Blocks>;
  /** Where the account has no such counter, its lines are taken out of wrangler.jsonc. */
  readonly FLOOD_WALL?: RateLimit;
}

export interface OperatorEnv
  extends Omit<
    OperatorBindings,
    "INFERENCE" | "REGISTRY" | "TALLIES" | "HOT_LIST" | "CACHE_KEEPER" | "OFFENDERS" | "BLOCKS"
  > {
  readonly INFERENCE: InferenceService;
  readonly REGISTRY: DurableObjectNamespace<Registry>;
  readonly TALLIES: DurableObjectNamespace<Tally>;
  readonly HOT_LIST: DurableObjectNamespace<HotList>;
  readonly CACHE_KEEPER: DurableObjectNamespace<CacheKeeper>;
  readonly OFFENDERS: DurableObjectNamespace<Offender>;
  readonly BLOCKS: DurableObjectNamespace<Blocks>;
}
