import * as z from "zod/mini";
import { sha256Hex } from "../manifest.ts";
import { limits } from "./limits.ts";
import { projectName, tenantName, userName } from "./records.ts";
import { scopes } from "./scopes.ts";
import { tierName } from "./terms.ts";

/** API keys, as the operator (`/admin/v1/keys`) and tenants themselves (`/v1/keys`) see them. */

/** An address or a CIDR block. */
const addresses = z
  .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], "an address or a CIDR block"))
  .check(z.minLength(1), z.maxLength(64));

const time = z.iso.datetime({ offset: true, error: "a time as RFC 3339 writes it" });

const keyName = z.string().check(z.minLength(1), z.maxLength(128));

/** `POST /v1/keys`: a key of the tenant whose key asks. */
export const newOwnKeyRequest = z.strictObject({
  name: keyName,
  project: z.optional(projectName),
  /** The member whose key it is; its role bounds the scopes. */
  user: z.optional(userName),
  /** Default: to call every model, and nothing else. */
  scopes: z.optional(scopes),
  /** In place of `limits.requests_per_minute`. */
  requests_per_minute: z.optional(z.int().check(z.gte(1), z.lte(10_000_000))),
  limits: z.optional(limits),
  /** From where it may be used. Default: from anywhere. */
  ips: z.optional(addresses),
  expires_at: z.optional(time),
});
export type NewOwnKeyRequest = z.infer<typeof newOwnKeyRequest>;

/** `POST /admin/v1/keys`: a new API key. */
export const newKeyRequest = z.extend(newOwnKeyRequest, {
  tenant: tenantName,
  /** In place of the plan's. */
  tier: z.optional(tierName),
});
export type NewKeyRequest = z.infer<typeof newKeyRequest>;

/** `POST /admin/v1/certificates`: a client certificate that is a credential as a key is, by the SHA-256 of the certificate. */
export const newCertificateRequest = z.extend(newKeyRequest, { sha256: sha256Hex });
export type NewCertificateRequest = z.infer<typeof newCertificateRequest>;

/** `PATCH /admin/v1/keys/{id}`: RFC 7396 over these and `expires_at`; `null` takes a member away. */
export const keySettings = z.strictObject({
  name: keyName,
  scopes,
  tier: z.optional(tierName),
  limits: z.optional(limits),
  ips: z.optional(addresses),
});
export type KeySettings = z.infer<typeof keySettings>;

/** The one member of that patch which is a time. */
export const keyEnd = z.object({ expires_at: z.optional(z.nullable(time)) });

export const keyAnswer = z.object({
  id: z.string(),
  tenant: tenantName,
  project: z.optional(projectName),
  user: z.optional(userName),
  name: z.string(),
  state: z.enum(["active", "expired", "revoked"]),
  scopes,
  tier: z.optional(tierName),
  limits: z.optional(limits),
  ips: z.optional(z.array(z.string())),
  created_at: z.string(),
  expires_at: z.optional(z.string()),
  revoked_at: z.optional(z.string()),
  /** Ids of the keys that it took over from, and that took over from it. */
  rotated_from: z.optional(z.string()),
  rotated_to: z.optional(z.string()),
  /** The latest hour in which it was used, where that is known. */
  last_used_at: z.optional(z.string()),
});
export type KeyAnswer = z.infer<typeof keyAnswer>;

/** By id; `next` is what to send as `after` for more. */
export const keysAnswer = z.object({ keys: z.array(keyAnswer), next: z.optional(z.string()) });
export type KeysAnswer = z.infer<typeof keysAnswer>;

/** The answer to a new key and to a rotation: the only time the key itself is shown. */
export const newKeyAnswer = z.extend(keyAnswer, {
  key: z.string(),
  /** Its rate; absent where its plan sets none. */
  requests_per_minute: z.optional(z.int()),
});
export type NewKeyAnswer = z.infer<typeof newKeyAnswer>;

/** How long a rotated key still works beside the new one. Default a day; 0 ends it at once. */
export const rotateKeyRequest = z.strictObject({
  overlap_s: z.optional(z.int().check(z.gte(0), z.lte(7_776_000))),
});

export const revokedKey = z.object({ revoked: z.string() });

/** Filters of a list of keys, in the query. */
export const keyListQuery = z.strictObject({
  tenant: z.optional(tenantName),
  project: z.optional(projectName),
  user: z.optional(userName),
  /** Revoked ones too. */
  revoked: z.optional(z.literal("true")),
  after: z.optional(z.string().check(z.maxLength(256))),
  limit: z.optional(z.string().check(z.regex(/^(?:[1-9][0-9]{0,2}|1000)$/, "1 to 1000"))),
});
