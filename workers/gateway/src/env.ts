import type { InferenceService } from "@ledge/contract";
import type { Flight } from "./platform/durable/flight.ts";
import type { HotList } from "./platform/durable/hot-list.ts";
import type { RateLimiter } from "./platform/durable/rate-limiter.ts";
import type { Registry } from "./platform/durable/registry.ts";
import type { Tally } from "./platform/durable/tally.ts";

/** The bindings of wrangler.jsonc (worker-configuration.d.ts is generated from it), with what speaks RPC typed. */
export interface GatewayEnv
  extends Omit<Cloudflare.Env, "INFERENCE" | "RATE_LIMITS" | "FLIGHTS" | "REGISTRY" | "TALLIES" | "HOT_LIST"> {
  readonly INFERENCE: InferenceService;
  readonly FLIGHTS: DurableObjectNamespace<Flight>;
  readonly RATE_LIMITS: DurableObjectNamespace<RateLimiter>;
  readonly REGISTRY: DurableObjectNamespace<Registry>;
  readonly TALLIES: DurableObjectNamespace<Tally>;
  readonly HOT_LIST: DurableObjectNamespace<HotList>;
}
