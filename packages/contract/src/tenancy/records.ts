import * as z from "zod/mini";
import { limits, quotas } from "./limits.ts";
import { scopes } from "./scopes.ts";
import { planName, tierName } from "./terms.ts";

/** What gateways read of tenants and keys in KV. The directory is the only writer. */

export const tenantName = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/));
export const projectName = z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/));
/** Of a member of a tenant, or a token's subject. */
export const userName = z.string().check(z.minLength(1), z.maxLength(256));

/** What becomes of an input that looks wrong, or of a prompt that a guard model names. */
export const inputPolicy = z.enum(["allow", "flag", "refuse"]);

/** `tenant:<name>`. */
export const tenantRecord = z.object({
  tenant: tenantName,
  state: z.enum(["active", "suspended"]),
  plan: planName,
  /** In place of the plan's, member by member. */
  limits: z.optional(limits),
  quotas: z.optional(quotas),
  weight: z.optional(z.number()),
  /** The tenant's limits for single models. */
  models: z.optional(z.record(z.string(), limits)),
  /** IANA name: when its days and months begin. */
  time_zone: z.string(),
  /** A stream whose output passes what was reserved: cut, or let through and charged. */
  overrun: z.enum(["stop", "allow"]),
  /** A classifier asked before chats: `benign` is its label for what may pass, the score what the other labels add up to. */
  guard: z.object({
    mode: z.enum(["off", "flag", "block"]),
    model: z.string(),
    threshold: z.number(),
    benign: z.string(),
  }),
  input: z.object({ unicode: inputPolicy, out_of_distribution: inputPolicy }),
});
export type TenantRecord = z.infer<typeof tenantRecord>;

/** `key:<id>`. Never the key itself. */
export const keyRecord = z.object({
  /** The first 24 hex digits of `hash`. */
  id: z.string().check(z.regex(/^[0-9a-f]{24}$/)),
  /** HMAC-SHA-256 of the whole key under the deployment's pepper, hex. */
  hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  tenant: tenantName,
  project: z.optional(projectName),
  /** Whose key it is, where it is a person's. */
  user: z.optional(userName),
  name: z.string(),
  scopes,
  /** In place of the plan's. */
  tier: z.optional(tierName),
  limits: z.optional(limits),
  /** CIDR blocks or addresses; absent: from anywhere. */
  ips: z.optional(z.array(z.string())),
  /** Milliseconds since 1970. */
  createdAtMs: z.int(),
  expiresAtMs: z.optional(z.int()),
});
export type KeyRecord = z.infer<typeof keyRecord>;
