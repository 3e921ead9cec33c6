import { parse, type Result } from "@ledge/contract";
import * as z from "zod/mini";
import {
  bodyBytesMax,
  cacheSecret,
  cacheStaleS,
  cacheTtlS,
  fallbacks,
  keyPepper,
  logged,
  requestsPerMinute,
  timeoutMs,
  wholeNumber,
} from "./variables.ts";

const config = z.object({
  FALLBACKS: fallbacks,
  ORIGIN_IN_FLIGHT_MAX: wholeNumber(1, 100_000),
  ORIGIN_WAITING_MAX: wholeNumber(0, 100_000),
  BODY_BYTES_MAX: bodyBytesMax,
  JOB_BYTES_MAX: bodyBytesMax,
  TIMEOUT_MS_DEFAULT: timeoutMs,
  TIMEOUT_MS_MAX: timeoutMs,
  CACHE_SECRET: cacheSecret,
  KEY_PEPPER: keyPepper,
  CACHE_TTL_S: cacheTtlS,
  CACHE_STALE_WHILE_REVALIDATE_S: cacheStaleS,
  CACHE_STALE_IF_ERROR_S: cacheStaleS,
  WORKERS_CACHE: z.enum(["on", "off"]),
  REQUESTS_PER_MINUTE_DEFAULT: requestsPerMinute,
  ABUSE: z.enum(["on", "off"]),
  LOG: logged,
});

export type Config = z.infer<typeof config>;

/** Reads the gateway's variables and secrets; the fault names every wrong one at once, and never a value. */
export function readConfig(env: object): Result<Config> {
  return parse(config, env);
}
