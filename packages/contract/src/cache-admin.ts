import * as z from "zod/mini";
import { type CachePolicy, cachePolicy, type PurgeRequest } from "./cache.ts";

/** The operator's API for the answer cache, and the changes that it asks of the cache's rules. */

/** Every way the rules can change. Each is checked as a whole and then done as a whole, or refused with a fault. */
export type CacheChange =
  | {
      readonly kind: "set-policy";
      readonly of: "model" | "tenant";
      readonly name: string;
      /** `null` takes it away. */
      readonly policy: CachePolicy | null;
    }
  | { readonly kind: "purge"; readonly purge: PurgeRequest }
  | { readonly kind: "rotate-keys"; readonly tenant: string }
  | { readonly kind: "destroy-keys"; readonly tenant: string };

/** One row of what changed, by whom, from what to what. */
export const cacheAuditRow = z.object({
  number: z.int(),
  /** RFC 3339. */
  at: z.string(),
  who: z.string(),
  kind: z.enum(["set-policy", "purge", "rotate-keys", "destroy-keys"]),
  /** Whose policy or keys, or what was purged: a scope such as `model:intent` or `tag:acme:faq`. */
  scope: z.string(),
  /** The policy before and after, or key ids; `null` where there was or is nothing. */
  from: z.unknown(),
  to: z.unknown(),
});
export type CacheAuditRow = z.infer<typeof cacheAuditRow>;

/** `GET /admin/v1/cache`. */
export const cacheAnswer = z.object({
  number: z.int(),
  /** What holds where neither tenant nor model says otherwise. */
  default_policy: cachePolicy,
  purges: z.array(z.object({ scope: z.string(), number: z.int(), at: z.string() })),
  models: z.record(z.string(), cachePolicy),
  tenants: z.record(z.string(), cachePolicy),
  /** The last hundred, ascending. */
  changes: z.array(cacheAuditRow),
});
export type CacheAnswer = z.infer<typeof cacheAnswer>;

/** The number that gateways know the change by. */
export const cacheChanged = z.object({ number: z.int() });
export type CacheChanged = z.infer<typeof cacheChanged>;

/** `GET /admin/v1/tenants/{tenant}/cache/keys`: newest first; none before the tenant's first call. */
export const cacheKeysAnswer = z.object({ keys: z.array(z.object({ id: z.int(), created_at: z.string() })) });
export type CacheKeysAnswer = z.infer<typeof cacheKeysAnswer>;
