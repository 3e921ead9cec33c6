import { parse, type Result } from "@ledge/contract";
import * as z from "zod/mini";

/** A whole number from 1 that arrives as text, as every Worker variable does. */
function wholeNumber(max: number) {
  return z.pipe(
    z.string().check(z.regex(/^[1-9][0-9]{0,11}$/, "a whole number from 1 is needed")),
    z.pipe(z.transform(Number), z.number().check(z.lte(max))),
  );
}

const yearS = 31_536_000;

const config = z.object({
  JOBS_SECRET: z.string().check(z.minLength(32)),
  JOBS_WAITING_MAX: wholeNumber(100_000),
  // All that run are one object's.
  JOBS_RUNNING_MAX: wholeNumber(64),
  // An object's SQLite holds 10 GB.
  JOBS_BYTES_MAX: wholeNumber(8_589_934_592),
  JOB_AGE_S_MAX: wholeNumber(yearS),
  JOB_KEPT_S: wholeNumber(yearS),
  // Cloudflare ends what an alarm does after fifteen minutes.
  RUN_MS_MAX: wholeNumber(240_000),
  // RPC carries 32 MiB.
  ANSWER_BYTES_MAX: wholeNumber(25_165_824),
});

export type Config = z.infer<typeof config>;

/** Reads the Worker's variables and secrets; the fault names every wrong one at once, and never a value. */
export function readConfig(env: object): Result<Config> {
  return parse(config, env);
}
