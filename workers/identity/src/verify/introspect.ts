import { fail, type Issuer, ok, type Result } from "@ledge/contract";
import type { BoundedFetch } from "../fetch/bounded-fetch.ts";
import type { Claims } from "./claims.ts";
import { clockSkewSDefault } from "./jwt.ts";

export interface ActiveToken {
  readonly claims: Claims;
  /** Milliseconds since 1970; absent when the provider does not say. */
  readonly expiresAtMs?: number;
}

/**
 * Asks an issuer about a token that says nothing itself (RFC 7662). Errors: `invalid_credentials` for one that is not
 * active, or not for us; `identity_unavailable` when the issuer cannot be asked.
 */
export async function introspect(
  token: string,
  issuer: Issuer & { readonly introspection: NonNullable<Issuer["introspection"]> },
  secret: string,
  http: BoundedFetch,
  nowMs: number,
): Promise<Result<ActiveToken>> {
  const { url, client_id: clientId } = issuer.introspection;
  let claims: Claims;
  try {
    claims = await http.json(url, {
      method: "POST",
      headers: {
        Accept: "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        Authorization: `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(secret)}`)}`,
      },
      body: `token=${formEncoded(token)}&token_type_hint=access_token`,
    });
  } catch (error) {
    return fail("identity_unavailable", { retryAfterMs: 5_000, cause: String(error) });
  }
  return judged(claims, issuer, nowMs);
}

function judged(claims: Claims, issuer: Issuer, nowMs: number): Result<ActiveToken> {
  const { active, iss, aud, exp, nbf, token_type: type } = claims;
  const skewMs = (issuer.clock_skew_s ?? clockSkewSDefault) * 1000;
  const no = (cause: string) => fail("invalid_credentials", { cause });
  if (active !== true) return no("the token is not active");
  if (iss !== undefined && iss !== issuer.issuer) return no("the token is of another issuer");
  if (typeof type === "string" && /refresh|id_token/i.test(type)) return no("the token is no access token");
  if (!isForUs(aud, issuer)) return no("the token is for another audience");
  if (nbf !== undefined && !(typeof nbf === "number" && nbf * 1000 <= nowMs + skewMs)) return no("not valid yet");
  if (exp === undefined) return ok({ claims });
  if (typeof exp !== "number") return no("'exp' is no number");
  const expiresAtMs = exp * 1000 + skewMs;
  return expiresAtMs <= nowMs ? fail("expired_credentials") : ok({ claims, expiresAtMs });
}

function isForUs(aud: unknown, { audiences, introspection }: Issuer): boolean {
  if (aud === undefined) return introspection?.any_audience === true;
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return named.some((one) => typeof one === "string" && audiences.includes(one));
}

/** RFC 6749 §2.3.1 and appendix B. */
function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
