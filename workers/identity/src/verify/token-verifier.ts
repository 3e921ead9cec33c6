import { fail, type Issuer, type Result, type VerifiedToken } from "@ledge/contract";
import type { BoundedFetch } from "../fetch/bounded-fetch.ts";
import { Jwks } from "../keys/jwks.ts";
import { keySetOf } from "../keys/key-set.ts";
import { bearerOf } from "./claims.ts";
import { introspect } from "./introspect.ts";
import { looksLikeJwt, namedIssuer, verifyJwt } from "./jwt.ts";
import { Refusals } from "./refusals.ts";

/** A verified token is believed this long, or until it expires when that is sooner. */
const jwtGoodForMs = 60_000;
/** Short: an issuer revokes such a token by no longer calling it active. */
const introspectedGoodForMs = 10_000;
/** Longer than any token; reading it stays cheap whatever is sent. */
const tokenCharsMax = 8_192;
/** More at once would only pile up before an issuer that is slow. */
const introspectionsMax = 64;

export interface VerifierDeps {
  readonly issuers: readonly Issuer[];
  /** For introspection, by the issuer's name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly http: BoundedFetch;
  readonly sha256: (text: string) => Promise<Uint8Array>;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

interface Known {
  readonly issuer: Issuer;
  readonly jwks: Jwks;
}

/** Whose token is it? By its issuer's keys where it is a JWT, else by asking the issuers that introspect. */
export class TokenVerifier {
  readonly #deps: VerifierDeps;
  readonly #issuers: readonly Known[];
  readonly #refusals: Refusals;
  #introspecting = 0;

  constructor(deps: VerifierDeps) {
    this.#deps = deps;
    this.#issuers = deps.issuers.map((issuer) => ({
      issuer,
      jwks: new Jwks({ fetchJwks: keySetOf(issuer, deps.http, deps.nowMs), nowMs: deps.nowMs, sleep: deps.sleep }),
    }));
    this.#refusals = new Refusals(deps.sha256, deps.nowMs);
  }

  /** Errors: `invalid_credentials`, `expired_credentials`, `identity_unavailable`. */
  async verify(token: string): Promise<Result<VerifiedToken>> {
    if (token.length > tokenCharsMax) return fail("invalid_credentials");
    return looksLikeJwt(token) ? await this.#byKeys(token) : await this.#byAsking(token);
  }

  async #byKeys(token: string): Promise<Result<VerifiedToken>> {
    const named = namedIssuer(token);
    const known = this.#issuers.find(({ issuer }) => issuer.issuer === named);
    if (known === undefined) return fail("invalid_credentials", { cause: "the token's issuer is not one of ours" });
    const nowMs = this.#deps.nowMs();
    const verified = await verifyJwt(token, known.issuer, known.jwks, nowMs);
    if (!verified.ok) return verified;
    const { claims, expiresAtMs } = verified.value;
    return bearerOf(claims, known.issuer, { goodForMs: Math.min(jwtGoodForMs, expiresAtMs - nowMs), expiresAtMs });
  }

  /** One issuer's "not active" sends the token on to the next; what all refused is not asked about again for a while. */
  async #byAsking(token: string): Promise<Result<VerifiedToken>> {
    const askable = this.#issuers.map(({ issuer }) => issuer).filter(introspects);
    if (askable.length === 0 || (await this.#refusals.has(token))) return fail("invalid_credentials");
    if (this.#introspecting >= introspectionsMax) {
      return fail("identity_unavailable", { retryAfterMs: 1_000, cause: "too many introspections at once" });
    }
    this.#introspecting++;
    try {
      return await this.#ask(token, askable);
    } finally {
      this.#introspecting--;
    }
  }

  async #ask(token: string, issuers: readonly Introspecting[]): Promise<Result<VerifiedToken>> {
    let unavailable: Result<never> | undefined;
    let refused: Result<never> = fail("invalid_credentials");
    for (const issuer of issuers) {
      const nowMs = this.#deps.nowMs();
      const secret = this.#deps.secrets[issuer.name] ?? "";
      const active = await introspect(token, issuer, secret, this.#deps.http, nowMs);
      if (active.ok) {
        const { claims, expiresAtMs = Number.POSITIVE_INFINITY } = active.value;
        return bearerOf(claims, issuer, { goodForMs: Math.min(introspectedGoodForMs, expiresAtMs - nowMs) });
      }
      if (active.fault.code === "identity_unavailable") unavailable = active;
      else refused = active;
    }
    if (unavailable !== undefined) return unavailable;
    await this.#refusals.add(token);
    return refused;
  }
}

type Introspecting = Issuer & { readonly introspection: NonNullable<Issuer["introspection"]> };

function introspects(issuer: Issuer): issuer is Introspecting {
  return issuer.introspection !== undefined;
}
