import { fail, type Issuer, ok, type Result } from "@ledge/contract";
import { decodeJwt, decodeProtectedHeader, errors as jose, jwtVerify } from "jose";
import { type Jwks, KeysUnavailable } from "../keys/jwks.ts";
import type { Claims } from "./claims.ts";

const algorithmsDefault = ["RS256", "ES256", "EdDSA"];
export const clockSkewSDefault = 5;

/** Headers by which a token would choose its own key, or where it is fetched from (RFC 8725 §3.10). */
const keysOfItsOwn = ["jwk", "jku", "x5c", "x5u"];

export function looksLikeJwt(token: string): boolean {
  return /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(token);
}

/** The issuer that a token names, before anything of it is verified: only to choose whose keys it is checked with. */
export function namedIssuer(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

export interface VerifiedJwt {
  readonly claims: Claims;
  /** Milliseconds since 1970, the clocks' tolerance included. */
  readonly expiresAtMs: number;
}

/**
 * Verifies signature, issuer, audience, expiry and not-before (RFC 7519, RFC 8725).
 * Errors: `expired_credentials`, `invalid_credentials`; `identity_unavailable` when no keys can be had.
 */
export async function verifyJwt(
  token: string,
  issuer: Issuer,
  jwks: Jwks,
  nowMs: number,
): Promise<Result<VerifiedJwt>> {
  const clockTolerance = issuer.clock_skew_s ?? clockSkewSDefault;
  try {
    const header = decodeProtectedHeader(token);
    const own = keysOfItsOwn.find((name) => Object.hasOwn(header, name));
    if (own !== undefined) return fail("invalid_credentials", { cause: `the token's header has '${own}'` });
    const { payload } = await jwtVerify(token, (protectedHeader, input) => jwks.keyFor(protectedHeader, input), {
      algorithms: issuer.algorithms ?? algorithmsDefault,
      issuer: issuer.issuer,
      audience: issuer.audiences,
      clockTolerance,
      currentDate: new Date(nowMs),
      requiredClaims: ["exp"],
    });
    return ok({ claims: payload, expiresAtMs: ((payload.exp ?? 0) + clockTolerance) * 1000 });
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): Result<never> {
  if (error instanceof KeysUnavailable) {
    return fail("identity_unavailable", { retryAfterMs: 5_000, cause: error.message });
  }
  if (error instanceof jose.JWTExpired) return fail("expired_credentials");
  // jose throws TypeErrors for tokens that are no JWS, and WebCrypto DOMExceptions for keys that are none.
  return fail("invalid_credentials", { cause: error instanceof jose.JOSEError ? error.code : "not a token" });
}
