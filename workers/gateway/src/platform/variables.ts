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
/** Between edge and origin. */
export const secret = z.string().check(z.minLength(16));
/** Bytes of a JSON body. */
export const bodyBytesMax = wholeNumber(1, 104_857_600);
export const timeoutMs = wholeNumber(1, 3_600_000);
export const requestsPerMinute = wholeNumber(1, 10_000_000);
