import * as z from "zod/mini";
import { modelName, modelVersion } from "./manifest.ts";

/** The answer cache's rules, and what of it has been purged: set by the operator, heard by every gateway. */

const seconds = (min: number, max: number) => z.int().check(z.gte(min), z.lte(max));

/** How long an answer may be called fresh, seconds: 30 days. */
export const cacheTtlSMax = 2_592_000;
/** How long past that a stale answer may still serve, seconds: 7 days. */
export const cacheStaleSMax = 604_800;
/** Bytes of one answer; KV takes 25 MiB a value. */
export const cacheEntryBytesMax = 8_388_608;

/** Of an API key or of a token, whose names are the identity provider's. */
export const cacheTenant = z
  .string()
  .check(
    z.regex(/^(?!__proto__$)[^\p{Cc}\p{Cs}]{1,128}$/u, "a tenant's name: 1 to 128 characters, no control characters"),
  );
export const cacheTag = z.string().check(z.regex(/^[A-Za-z0-9._:@-]{1,64}$/, "1 to 64 of A-Z, a-z, 0-9 and ._:@-"));
/** Names an entry: the first 128 bits of the keyed hash of what was asked, hex. */
export const cacheEntryId = z.string().check(z.regex(/^[0-9a-f]{32}$/, "32 hex digits, as Cache-Status says them"));

/** Answers to prompts that mean the same. */
export const semanticPolicy = z.strictObject({
  enabled: z.optional(z.boolean()),
  /** The model that turns a prompt into a vector, and the one that judges two prompts. Default `embed` and `same-answer`. */
  embedder: z.optional(modelName),
  verifier: z.optional(modelName),
  /** The verifier's probability that two prompts want the same answer, below which a candidate is no hit. */
  probability_min: z.optional(z.number().check(z.gte(0.5), z.lte(1))),
  /** Candidates judged for one call. */
  candidates_max: z.optional(z.int().check(z.gte(1), z.lte(8))),
  /** Prompts one index holds: a tenant, a model and a context each have their own. */
  entries_max: z.optional(z.int().check(z.gte(1), z.lte(100_000))),
});

/** What a model or a tenant says of the cache. What it leaves out is the model's, then the deployment's. */
export const cachePolicy = z.strictObject({
  /** False at any level switches the cache off. */
  enabled: z.optional(z.boolean()),
  /** How long an answer is fresh. */
  ttl_s: z.optional(seconds(1, cacheTtlSMax)),
  /** The longest that a call may ask for with `Ledge-Cache-Ttl`. */
  ttl_s_max: z.optional(seconds(1, cacheTtlSMax)),
  /** How long past that it still answers while a fresh one is fetched behind it. */
  stale_while_revalidate_s: z.optional(seconds(0, cacheStaleSMax)),
  /** How long past that it answers when edge and origin fail. */
  stale_if_error_s: z.optional(seconds(0, cacheStaleSMax)),
  /** Larger answers are not kept. */
  entry_bytes_max: z.optional(z.int().check(z.gte(1), z.lte(cacheEntryBytesMax))),
  /** Request headers whose values split the cache, in small letters. */
  vary: z.optional(z.array(z.string().check(z.regex(/^[a-z][a-z0-9-]{0,63}$/))).check(z.maxLength(8))),
  /** How far equal misses wait for one another. Default: `everywhere` for models the origin answers, `isolate` for the edge's. */
  collapse: z.optional(z.enum(["everywhere", "isolate", "off"])),
  semantic: z.optional(semanticPolicy),
});
export type CachePolicy = z.infer<typeof cachePolicy>;

/** `POST /admin/v1/cache/purge`. */
export const purgeRequest = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ model: modelName, version: z.optional(modelVersion) }),
  z.strictObject({ tenant: cacheTenant, tag: cacheTag }),
  z.strictObject({ tenant: cacheTenant, key: cacheEntryId }),
  z.strictObject({ tenant: cacheTenant }),
]);
export type PurgeRequest = z.infer<typeof purgeRequest>;

/** What was purged last, and when. Forgotten once everything from before has expired. */
const purged = z.object({ number: z.int(), atMs: z.number() });
export type Purged = z.infer<typeof purged>;

/**
 * All that gateways must know of the cache's rules, one document. `number` grows by one with every change, so that the
 * highest number over an entry's scopes is its epoch: a purge raises it, and no entry from before has it.
 */
export const cacheState = z.object({
  number: z.int(),
  /** By scope, as `purgeScope` spells it. */
  purges: z.record(z.string(), purged),
  models: z.record(z.string(), cachePolicy),
  tenants: z.record(z.string(), cachePolicy),
  /** At which number a tenant's keys last changed; absent: not since they were made. */
  keys: z.record(z.string(), z.int()),
});
export type CacheState = z.infer<typeof cacheState>;

export const emptyCacheState: CacheState = { number: 0, purges: {}, models: {}, tenants: {}, keys: {} };

const salt = z.string().check(z.regex(/^[A-Za-z0-9+/]{43}=$/, "32 bytes in base64"));

/**
 * What a tenant's keys are derived from, together with the deployment's secret: neither alone opens anything. Destroying it
 * makes all of the tenant's kept answers unreadable.
 */
export const keyring = z.object({
  /** Whose it is: in another tenant's place it is not taken. */
  tenant: z.string(),
  /** The change that made it so; 0 for a tenant's first. */
  number: z.int(),
  /** For naming entries: lasts until the keys are destroyed. */
  naming: salt,
  /** For sealing entries, newest first; the others still open what they sealed. */
  sealing: z.array(z.object({ id: z.int(), salt, createdAtMs: z.number() })).check(z.minLength(1), z.maxLength(4)),
});
export type Keyring = z.infer<typeof keyring>;

/** `POST /v1/cache/feedback`: the hit that named this entry in `Cache-Status` was wrong. */
export const cacheFeedbackRequest = z.strictObject({
  id: cacheEntryId,
  /** As the answer's `Ledge-Model` header said, `name@version`: where the report is counted. */
  model: z.optional(z.string().check(z.maxLength(80))),
});
export type CacheFeedbackRequest = z.infer<typeof cacheFeedbackRequest>;

export const cacheFeedbackAnswer = z.object({ removed: z.boolean() });
