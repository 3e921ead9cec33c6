import type { InferenceService } from "@ledge/contract";
import type { HotList } from "./platform/durable/hot-list.ts";
import type { RateLimiter } from "./platform/durable/rate-limiter.ts";
import type { Registry } from "./platform/durable/registry.ts";
import type { SemanticIndex } from "./platform/durable/semantic-index.ts";
import type { Tally } from "./platform/durable/tally.ts";

/** The bindings of wrangler.jsonc (worker-configuration.d.ts is generated from it), with what speaks RPC typed. */
export interface GatewayEnv
  extends Omit<Cloudflare.Env, "INFERENCE" | "RATE_LIMITS" | "REGISTRY" | "TALLIES" | "HOT_LIST" | "SEMANTIC_INDEX"> {
  readonly INFERENCE: InferenceService;
  readonly RATE_LIMITS: DurableObjectNamespace<RateLimiter>;
  readonly REGISTRY: DurableObjectNamespace<Registry>;
  readonly TALLIES: DurableObjectNamespace<Tally>;
  readonly HOT_LIST: DurableObjectNamespace<HotList>;
  readonly SEMANTIC_INDEX: DurableObjectNamespace<SemanticIndex>;
}
