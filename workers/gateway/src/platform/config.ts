import { parse, type Result } from "@ledge/contract";
import * as z from "zod/mini";
import { bodyBytesMax, logged, requestsPerMinute, secret, timeoutMs, wholeNumber } from "./variables.ts";

const emptyOrUrl = z.union([z.literal(""), z.url({ protocol: /^https?$/ })]);

const config = z.object({
  ORIGIN_URL: z.url({ protocol: /^https?$/ }),
  ORIGIN_SECRET: secret,
  BODY_BYTES_MAX: bodyBytesMax,
  TIMEOUT_MS_DEFAULT: timeoutMs,
  TIMEOUT_MS_MAX: timeoutMs,
  CACHE_TTL_S: wholeNumber(60, 31_536_000),
  REQUESTS_PER_MINUTE_DEFAULT: requestsPerMinute,
  LOG: logged,
  JWT_ISSUER: z.string(),
  JWT_AUDIENCE: z.string(),
  JWT_JWKS_URL: emptyOrUrl,
  JWT_TENANT_CLAIM: z.string().check(z.minLength(1)),
});

export type Config = z.infer<typeof config>;

/** Reads the gateway's variables and secrets; the fault names every wrong one at once, and never a value. */
export function readConfig(env: object): Result<Config> {
  return parse(config, env);
}
