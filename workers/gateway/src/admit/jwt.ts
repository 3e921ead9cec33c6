import { fail, ok, type Result } from "@ledge/contract";
import { type JWTPayload, errors as jose, jwtVerify } from "jose";
import { type Jwks, KeysUnavailable } from "./jwks.ts";

/** Asymmetric algorithms only: with `HS256` allowed, the public key would pass as a shared secret. */
const algorithms = ["RS256", "ES256", "EdDSA"];
const clockToleranceS = 5;

export interface JwtRule {
  readonly issuer: string;
  readonly audience: string;
  readonly tenantClaim: string;
}

export interface VerifiedToken {
  readonly tenant: string;
  readonly user: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

export function looksLikeJwt(credential: string): boolean {
  return /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(credential);
}

/**
 * Verifies signature, issuer, audience, expiry and not-before.
 * Errors: `expired_credentials`, `invalid_credentials`; `identity_unavailable` when no keys can be had.
 */
export async function verifyJwt(
  token: string,
  rule: JwtRule,
  jwks: Jwks,
  nowMs: number,
): Promise<Result<VerifiedToken>> {
  try {
    const { payload } = await jwtVerify(token, (header, input) => jwks.keyFor(header, input), {
      algorithms,
      issuer: rule.issuer,
      audience: rule.audience,
      clockTolerance: clockToleranceS,
      currentDate: new Date(nowMs),
      requiredClaims: ["exp", "sub"],
    });
    return tokenOf(payload, rule);
  } catch (error) {
    if (error instanceof KeysUnavailable)
      return fail("identity_unavailable", { retryAfterMs: 5_000, cause: error.message });
    if (error instanceof jose.JWTExpired) return fail("expired_credentials");
    if (error instanceof jose.JOSEError) return fail("invalid_credentials", { cause: error.code });
    throw error;
  }
}

function tokenOf(payload: JWTPayload, rule: JwtRule): Result<VerifiedToken> {
  const tenant = payload[rule.tenantClaim];
  const { sub, exp } = payload;
  if (typeof tenant !== "string" || tenant === "" || tenant.length > 128 || sub === undefined || exp === undefined) {
    return fail("invalid_credentials", {
      detail: `The token needs the claims 'sub', 'exp' and '${rule.tenantClaim}'.`,
    });
  }
  return ok({ tenant, user: sub, expiresAtMs: (exp + clockToleranceS) * 1000 });
}
