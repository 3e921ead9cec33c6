import * as z from "zod/mini";
import { limits, quotas } from "./limits.ts";

/**
 * The deployment's terms: what plans, tiers and models cost and allow. One document, published to KV as `terms:current` by the
 * directory, and read by every gateway (`docs/decisions/0013-tenancy.md`).
 */

export const planName = z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/));
export const tierName = planName;

/** Micro-cents. A call's cost is the sum of its parts, rounded once, half up. */
export const price = z.strictObject({
  per_call: z.optional(z.int().check(z.gte(0))),
  per_million_input_tokens: z.optional(z.int().check(z.gte(0))),
  per_million_output_tokens: z.optional(z.int().check(z.gte(0))),
  per_edge_second: z.optional(z.int().check(z.gte(0))),
  per_gpu_second: z.optional(z.int().check(z.gte(0))),
  /** What an answer from the cache costs, as a share of what it would have cost. Default 0. */
  cache_hit_share: z.optional(z.number().check(z.gte(0), z.lte(1))),
});
export type Price = z.infer<typeof price>;

export const plan = z.strictObject({
  tier: tierName,
  /** Of the tenant as a whole, of each of its keys, and of each of its users, where these have none of their own. */
  limits: z.optional(limits),
  key_limits: z.optional(limits),
  user_limits: z.optional(limits),
  quotas: z.optional(quotas),
  /** Shares of a quota at which an event is raised. */
  notify_at: z.optional(z.array(z.number().check(z.gt(0), z.lte(1))).check(z.maxLength(8))),
  /** Its share of capacity under overload, against other tenants'. Default 1. */
  weight: z.optional(z.number().check(z.gte(0.01), z.lte(100))),
});
export type Plan = z.infer<typeof plan>;

export const tier = z.strictObject({
  /** 0 first, 9 last. */
  priority: z.int().check(z.gte(0), z.lte(9)),
  /** Of everybody of the tier together. */
  limits: z.optional(limits),
});
export type ServiceTier = z.infer<typeof tier>;

export const modelTerms = z.strictObject({
  /** Of everybody who asks the model, together. */
  limits: z.optional(limits),
  price: z.optional(price),
  /**
   * The most tokens that a byte of a prompt becomes. Where it is said, that is what is reserved, and prompts are not counted
   * before they are answered; else they are where they can be, and 1, which no tokenizer exceeds, holds where they cannot.
   */
  tokens_per_byte_max: z.optional(z.number().check(z.gt(0), z.lte(1))),
});
export type ModelTerms = z.infer<typeof modelTerms>;

export const terms = z.object({
  /** Rises with every change. */
  number: z.int(),
  currency: z.string(),
  plans: z.record(z.string(), plan),
  tiers: z.record(z.string(), tier),
  models: z.record(z.string(), modelTerms),
  /** Of models that have none of their own. */
  price: price,
});
export type Terms = z.infer<typeof terms>;
