import type { IdentityService, InferenceService, JobsService } from "@ledge/contract";
import type { Blocks } from "./platform/durable/blocks.ts";
import type { CacheKeeper } from "./platform/durable/cache-keeper.ts";
import type { Directory } from "./platform/durable/directory.ts";
import type { Flight } from "./platform/durable/flight.ts";
import type { HotList } from "./platform/durable/hot-list.ts";
import type { Ledger } from "./platform/durable/ledger.ts";
import type { LedgerList } from "./platform/durable/ledger-list.ts";
import type { Meter } from "./platform/durable/meter.ts";
import type { Offender } from "./platform/durable/offender.ts";
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
    | "JOBS"
    | "METERS"
    | "FLIGHTS"
    | "REGISTRY"
    | "TALLIES"
    | "CACHE_KEEPER"
    | "LEDGERS"
    | "SEMANTIC_INDEX"
    | "OFFENDERS"
    | "BLOCKS"
    | "FLOOD_WALL"
  > {
  readonly INFERENCE: InferenceService;
  readonly IDENTITY: IdentityService;
  /** Without its lines in wrangler.jsonc no call becomes a job. */
  readonly JOBS?: JobsService;
  readonly FLIGHTS: DurableObjectNamespace<Flight>;
  readonly METERS: DurableObjectNamespace<Meter>;
  readonly REGISTRY: DurableObjectNamespace<Registry>;
  readonly TALLIES: DurableObjectNamespace<Tally>;
  readonly CACHE_KEEPER: DurableObjectNamespace<CacheKeeper>;
  readonly LEDGERS: DurableObjectNamespace<Ledger>;
  readonly SEMANTIC_INDEX: DurableObjectNamespace<SemanticIndex>;
  readonly OFFENDERS: DurableObjectNamespace<Offender>;
  readonly BLOCKS: DurableObjectNamespace<Blocks>;
  /** Where the account has no such counter, its lines are taken out of wrangler.jsonc. */
  readonly FLOOD_WALL?: RateLimit;
}

export interface OperatorEnv
  extends Omit<
    OperatorBindings,
    | "INFERENCE"
    | "REGISTRY"
    | "TALLIES"
    | "HOT_LIST"
    | "CACHE_KEEPER"
    | "DIRECTORY"
    | "METERS"
    | "LEDGERS"
    | "LEDGER_LIST"
    | "OFFENDERS"
    | "BLOCKS"
  > {
  readonly INFERENCE: InferenceService;
  readonly REGISTRY: DurableObjectNamespace<Registry>;
  readonly TALLIES: DurableObjectNamespace<Tally>;
  readonly HOT_LIST: DurableObjectNamespace<HotList>;
  readonly METERS: DurableObjectNamespace<Meter>;
  readonly CACHE_KEEPER: DurableObjectNamespace<CacheKeeper>;
  readonly LEDGERS: DurableObjectNamespace<Ledger>;
  readonly LEDGER_LIST: DurableObjectNamespace<LedgerList>;
  readonly EVENTS_WEBHOOK_SECRET?: string;
  readonly DIRECTORY: DurableObjectNamespace<Directory>;
  readonly OFFENDERS: DurableObjectNamespace<Offender>;
  readonly BLOCKS: DurableObjectNamespace<Blocks>;
}
