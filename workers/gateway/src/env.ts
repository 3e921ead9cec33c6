import type { InferenceService } from "@ledge/contract";
import type { RateLimiter } from "./platform/durable/rate-limiter.ts";
import type { Registry } from "./platform/durable/registry.ts";

/** The bindings of wrangler.jsonc (worker-configuration.d.ts is generated from it), with what speaks RPC typed. */
export interface GatewayEnv extends Omit<Cloudflare.Env, "INFERENCE" | "RATE_LIMITS" | "REGISTRY"> {
  readonly INFERENCE: InferenceService;
  readonly RATE_LIMITS: DurableObjectNamespace<RateLimiter>;
  readonly REGISTRY: DurableObjectNamespace<Registry>;
}
