import { cacheStaleSMax, cacheTtlSMax, parse, type Result } from "@ledge/contract";
import * as z from "zod/mini";

/** A whole number that arrives as text, as every Worker variable does. */
function wholeNumber(min: number, max: number) {
  return z.pipe(
    z.string().check(z.regex(/^[0-9]{1,12}$/, "a whole number is needed")),
    z.pipe(z.transform(Number), z.number().check(z.gte(min), z.lte(max))),
  );
}

const emptyOrUrl = z.union([z.literal(""), z.url({ protocol: /^https?$/ })]);
const sha256 = z
  .string()
  .check(z.regex(/^[0-9a-f]{64}$/, "the SHA-256 of the operator's key is needed, 64 hex digits"));

const config = z.object({
  ORIGIN_URL: z.url({ protocol: /^https?$/ }),
  ORIGIN_SECRET: z.string().check(z.minLength(16)),
  ADMIN_KEY_HASH: sha256,
  BODY_BYTES_MAX: wholeNumber(1, 104_857_600),
  MODEL_BYTES_MAX: wholeNumber(1, 5_000_000_000),
  TIMEOUT_MS_DEFAULT: wholeNumber(1, 3_600_000),
  TIMEOUT_MS_MAX: wholeNumber(1, 3_600_000),
  CACHE_SECRET: z.string().check(z.minLength(32)),
  CACHE_TTL_S: wholeNumber(1, cacheTtlSMax),
  CACHE_STALE_WHILE_REVALIDATE_S: wholeNumber(0, cacheStaleSMax),
  CACHE_STALE_IF_ERROR_S: wholeNumber(0, cacheStaleSMax),
  REQUESTS_PER_MINUTE_DEFAULT: wholeNumber(1, 10_000_000),
  LOG: z.enum(["all", "failures"]),
  JWT_ISSUER: z.string(),
  JWT_AUDIENCE: z.string(),
  JWT_JWKS_URL: emptyOrUrl,
  JWT_TENANT_CLAIM: z.string().check(z.minLength(1)),
});

export type Config = z.infer<typeof config>;

/** Reads the Worker's variables and secrets; the fault names every wrong one at once, and never a value. */
export function readConfig(env: object): Result<Config> {
  return parse(config, env);
}
