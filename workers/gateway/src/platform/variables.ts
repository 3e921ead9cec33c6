import { cacheStaleSMax, cacheTtlSMax } from "@ledge/contract";
import * as z from "zod/mini";

/** What a Worker's variables and secrets may be. */

/** A whole number that arrives as text, as every Worker variable does. */
export function wholeNumber(min: number, max: number) {
  return z.pipe(
    z.string().check(z.regex(/^[0-9]{1,12}$/, "a whole number is needed")),
    z.pipe(z.transform(Number), z.number().check(z.gte(min), z.lte(max))),
  );
}

export const logged = z.enum(["all", "failures"]);
/** How long answers are kept where no policy says, and how long past that they may serve. KV takes no less than a minute. */
export const cacheTtlS = wholeNumber(60, cacheTtlSMax);
export const cacheStaleS = wholeNumber(0, cacheStaleSMax);
/** What kept answers are sealed under, together with each tenant's salts. */
export const cacheSecret = z.string().check(z.minLength(32));
/** What API keys are hashed under: without it the stored hashes open nothing. The same in the gateway and the operator Worker. */
export const keyPepper = z.string().check(z.minLength(32));
/** JSON: by a model's name, the models to ask in its place. */
export const fallbacks = z.pipe(
  z.string(),
  z.pipe(
    z.transform((text: string, payload) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        payload.issues.push({ code: "custom", message: "is not JSON", input: "" });
        return z.NEVER;
      }
    }),
    z.record(z.string(), z.array(z.string())),
  ),
);
/** Between edge and origin. */
export const secret = z.string().check(z.minLength(16));
/** Bytes of a JSON body. */
export const bodyBytesMax = wholeNumber(1, 104_857_600);
export const timeoutMs = wholeNumber(1, 3_600_000);
export const requestsPerMinute = wholeNumber(1, 10_000_000);
