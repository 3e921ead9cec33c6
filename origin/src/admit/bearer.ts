import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { fail, ok, type Result } from "@ledge/contract";

/**
 * Makes the check of `Authorization: Bearer <secret>`. Both sides are hashed under a random key first, so that the
 * comparison takes the same time whatever the length and the first differing byte.
 * Fails with `missing_credentials` or `invalid_credentials`.
 */
export function bearerCheck(secret: string): (authorization: string | null) => Result<void> {
  const key = randomBytes(32);
  const digest = (text: string) => createHmac("sha256", key).update(text).digest();
  const expected = digest(secret);
  return (authorization) => {
    const token = /^bearer +([^ ]+) *$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return fail("missing_credentials");
    return timingSafeEqual(digest(token), expected) ? ok(undefined) : fail("invalid_credentials");
  };
}
