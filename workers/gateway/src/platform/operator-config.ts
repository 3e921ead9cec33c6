import { parse, type Result } from "@ledge/contract";
import * as z from "zod/mini";
import {
  bodyBytesMax,
  cacheStaleS,
  cacheTtlS,
  keyPepper,
  logged,
  requestsPerMinute,
  secret,
  timeoutMs,
  wholeNumber,
} from "./variables.ts";

const sha256 = z
  .string()
  .check(z.regex(/^[0-9a-f]{64}$/, "the SHA-256 of the operator's key is needed, 64 hex digits"));

const webhook = z.object({
  EVENTS_WEBHOOK_URL: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
  EVENTS_WEBHOOK_SECRET: z.optional(secret),
  EVENTS_WEBHOOK_LOCAL: z.enum(["on", "off"]),
});

const config = z.object({
  ...webhook.shape,
  ORIGIN_URL: z.url({ protocol: /^https?$/ }),
  ORIGIN_SECRET: secret,
  ADMIN_KEY_HASH: sha256,
  KEY_PEPPER: keyPepper,
  BODY_BYTES_MAX: bodyBytesMax,
  MODEL_BYTES_MAX: wholeNumber(1, 5_000_000_000),
  TIMEOUT_MS_MAX: timeoutMs,
  CACHE_TTL_S: cacheTtlS,
  CACHE_STALE_WHILE_REVALIDATE_S: cacheStaleS,
  CACHE_STALE_IF_ERROR_S: cacheStaleS,
  REQUESTS_PER_MINUTE_DEFAULT: requestsPerMinute,
  LOG: logged,
});

export type OperatorConfig = z.infer<typeof config>;

/** Reads the operator Worker's variables and secrets; the fault names every wrong one at once, and never a value. */
export function readOperatorConfig(env: object): Result<OperatorConfig> {
  return parse(config, env);
}
