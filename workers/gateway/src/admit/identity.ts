import { fail, type KeyRecord, ok, type Result, scopesDefault } from "@ledge/contract";
import { bearer } from "../bearer.ts";
import type { Principal } from "../exchange.ts";
import type { Digests } from "../ports.ts";
import { type KeyDoor, verifyApiKey } from "./api-key.ts";
import type { Jwks } from "./jwks.ts";
import { type JwtRule, looksLikeJwt, type VerifiedToken, verifyJwt } from "./jwt.ts";
import type { Standings } from "./standings.ts";

/** A revoked key stops working in an isolate after this long. */
const keyRememberedMs = 5_000;
/** A verified token is believed this long, or until it expires when that is sooner. */
const tokenRememberedMs = 60_000;
const rememberedMax = 10_000;
/** Longer than any token of ours; hashing stays cheap whatever is sent. */
const credentialCharsMax = 8_192;

export interface IdentityDeps {
  readonly door: KeyDoor;
  readonly standings: Standings;
  readonly digests: Digests;
  readonly jwt: { readonly rule: JwtRule; readonly jwks: Jwks } | undefined;
  readonly nowMs: () => number;
}

/** Who a credential is, apart from what holds for it. */
interface Remembered {
  readonly who: Omit<Principal, "standing"> & Pick<KeyRecord, "tier" | "limits">;
  readonly untilMs: number;
}

/**
 * Who sent a request. Verified credentials are remembered in the isolate under the SHA-256 of the **whole** credential:
 * a prefix or a decoded claim as the key is how other gateways mixed up their callers. Failures are not remembered.
 */
export class Identity {
  readonly #deps: IdentityDeps;
  readonly #remembered = new Map<string, Remembered>();

  constructor(deps: IdentityDeps) {
    this.#deps = deps;
  }

  /** Errors: `missing_credentials`, `invalid_credentials`, `expired_credentials`, `identity_unavailable`. */
  async of(request: Request): Promise<Result<Principal>> {
    const credential = bearer(request.headers);
    if (credential === undefined) return fail("missing_credentials");
    if (credential.length > credentialCharsMax) return fail("invalid_credentials");
    const { digests, nowMs } = this.#deps;
    const digest = digests.sha256Hex(credential);
    const known = this.#remembered.get(digest);
    if (known !== undefined && nowMs() < known.untilMs) return await this.#standing(known);
    const verified = await this.#verify(credential);
    if (verified.ok) this.#remember(digest, verified.value);
    else this.#remembered.delete(digest);
    return verified.ok ? await this.#standing(verified.value) : verified;
  }

  async #standing({ who }: Remembered): Promise<Result<Principal>> {
    const { tier, limits, ...principal } = who;
    const standing = await this.#deps.standings.of(who);
    return standing.ok ? ok({ ...principal, standing: standing.value }) : standing;
  }

  async #verify(credential: string): Promise<Result<Remembered>> {
    const { jwt, nowMs, door } = this.#deps;
    if (jwt !== undefined && looksLikeJwt(credential)) {
      const token = await verifyJwt(credential, jwt.rule, jwt.jwks, nowMs());
      if (!token.ok) return token;
      const untilMs = Math.min(token.value.expiresAtMs, nowMs() + tokenRememberedMs);
      return ok({ who: bearerOf(token.value), untilMs });
    }
    const key = await verifyApiKey(credential, door, nowMs());
    if (!key.ok) return key;
    const untilMs = Math.min(key.value.expiresAtMs ?? Number.POSITIVE_INFINITY, nowMs() + keyRememberedMs);
    return ok({ who: holderOf(key.value), untilMs });
  }

  /** The oldest entry goes first: a Map keeps the order of insertion. */
  #remember(digest: string, entry: Remembered): void {
    this.#remembered.delete(digest);
    if (this.#remembered.size >= rememberedMax) {
      const oldest = this.#remembered.keys().next().value;
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.set(digest, entry);
  }
}

function holderOf({ id, tenant, project, user, scopes, tier, limits }: KeyRecord): Remembered["who"] {
  return {
    tenant,
    subject: `key:${id}`,
    keyId: id,
    scopes,
    ...(project === undefined ? {} : { project }),
    ...(user === undefined ? {} : { user }),
    ...(tier === undefined ? {} : { tier }),
    ...(limits === undefined ? {} : { limits }),
  };
}

/** Lengths keep tenant "a" with user "b:c" apart from tenant "a:b" with user "c". */
function bearerOf({ tenant, user }: VerifiedToken): Remembered["who"] {
  return { tenant, subject: `jwt:${tenant.length}:${tenant}:${user}`, user, scopes: scopesDefault };
}
