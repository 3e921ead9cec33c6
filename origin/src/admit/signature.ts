import { createHmac, timingSafeEqual } from "node:crypto";
import { fail, ok, type Result } from "@ledge/contract";
import { clockSkewMs, isTimely, parseSignature, textToSign } from "@ledge/policy/origins";
import { Nonces } from "./nonces.ts";

/** Nonces that are remembered: a minute of some 4,000 calls a second. */
const noncesMax = 250_000;

export interface Presented {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Of `Ledge-Signature`. */
  readonly signature: string;
  readonly header: (name: string) => string | null;
}

/**
 * Makes the check of `Ledge-Signature`; what passes is the SHA-256 that the body must have. Fails with `invalid_credentials`: it is
 * none, is not by our secret or over another request, is older or newer than 30 s, or was used; with `overloaded` when more
 * calls came within a minute than are remembered.
 */
export function signatureCheck(secret: string, nowMs: () => number): (request: Presented) => Result<string> {
  const nonces = new Nonces(noncesMax);
  return ({ signature: text, ...request }) => {
    const signature = parseSignature(text);
    if (signature === undefined) return refused("the signature is none");
    const { mac, ...signed } = signature;
    const expected = createHmac("sha256", secret)
      .update(textToSign({ ...request, ...signed }))
      .digest();
    if (!timingSafeEqual(expected, Buffer.from(mac, "hex")))
      return refused("the signature is of another request or secret");
    const now = nowMs();
    if (!isTimely(signed.atMs, now)) return refused(`the signature is ${Math.round((now - signed.atMs) / 1000)} s old`);
    // Only who knows the secret gets here: nobody else can fill the memory.
    switch (nonces.take(signed.nonce, signed.atMs + clockSkewMs, now)) {
      case "taken":
        return ok(signed.bodySha256);
      case "used":
        return refused("the nonce was used");
      case "full":
        return fail("overloaded", { retryAfterMs: clockSkewMs, cause: "no nonce more can be remembered" });
    }
  };
}

function refused(cause: string) {
  return fail("invalid_credentials", { cause });
}
