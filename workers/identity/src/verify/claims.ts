import { fail, type Issuer, ok, type Result, scopesDefault, tenantName, type VerifiedToken } from "@ledge/contract";
import { scopesOfClaim } from "@ledge/policy";

export type Claims = Readonly<Record<string, unknown>>;

/**
 * What a verified token says of its bearer, by the issuer's map of claims. Errors: `invalid_credentials` when it does not say
 * whose it is, or names a tenant that the issuer may not speak for.
 */
export function bearerOf(
  claims: Claims,
  issuer: Issuer,
  good: Pick<VerifiedToken, "goodForMs" | "expiresAtMs">,
): Result<VerifiedToken> {
  const names = issuer.claims ?? {};
  const tenant = issuer.tenant ?? claimOf(claims, names.tenant ?? "tenant");
  const user = claimOf(claims, names.user ?? "sub");
  const tier = names.tier === undefined ? undefined : claimOf(claims, names.tier);
  if (!isTenant(tenant) || issuer.tenants?.includes(tenant) === false || !isUser(user)) {
    const needed = [names.user ?? "sub", ...(issuer.tenant === undefined ? [names.tenant ?? "tenant"] : [])];
    const detail = `The token needs the claims ${needed.map((name) => `'${name}'`).join(" and ")}, of a tenant of its issuer.`;
    return fail("invalid_credentials", { detail });
  }
  const scopes =
    names.scopes === undefined
      ? (issuer.scopes ?? scopesDefault)
      : scopesOfClaim(claimOf(claims, names.scopes), issuer.scope_prefix ?? "ledge:");
  return ok({
    issuer: issuer.name,
    tenant,
    user,
    scopes,
    ...good,
    ...(typeof tier === "string" && tier !== "" ? { tier } : {}),
  });
}

function isTenant(value: unknown): value is string {
  return tenantName.safeParse(value).success;
}

function isUser(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 256 && !/[\p{Cc}\p{Cs}]/u.test(value);
}

/** A claim by its whole name, or else by a way through objects. Never a member of every object. */
export function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let at: unknown = claims;
  for (const step of name.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Claims)[step];
  }
  return at;
}
