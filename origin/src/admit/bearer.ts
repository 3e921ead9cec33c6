import { hash, timingSafeEqual } from "node:crypto";
import { fail, ok, type Result } from "@ledge/contract";

/**
 * Makes the check of `Authorization: Bearer <secret>`. Both sides are hashed first, so that the comparison takes the same time
 * whatever the length and the first differing byte. In one call each: an HMAC of Node's costs ten times as much.
 * Fails with `missing_credentials` or `invalid_credentials`.
 */
export function bearerCheck(secret: string): (authorization: string | null) => Result<void> {
  const digest = (text: string) => hash("sha256", text, "buffer");
  const expected = digest(secret);
  return (authorization) => {
    const token = /^bearer +([^ ]+) *$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return fail("missing_credentials");
    return timingSafeEqual(digest(token), expected) ? ok(undefined) : fail("invalid_credentials");
  };
}
