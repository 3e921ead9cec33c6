import { fail, ok, type Result } from "@ledge/contract";
import { bearer } from "../bearer.ts";
import type { Principal } from "../exchange.ts";
import type { Digests, KeyStore } from "../ports.ts";
import { verifyApiKey } from "./api-key.ts";
import type { Jwks } from "./jwks.ts";
import { type JwtRule, looksLikeJwt, verifyJwt } from "./jwt.ts";

/** A revoked key stops working in an isolate after this long. */
const keyRememberedMs = 5_000;
/** A verified token is believed this long, or until it expires when that is sooner. */
const tokenRememberedMs = 60_000;
const rememberedMax = 10_000;
/** Longer than any token of ours; hashing stays cheap whatever is sent. */
const credentialCharsMax = 8_192;

export interface IdentityDeps {
  readonly keys: KeyStore;
  readonly digests: Digests;
  readonly jwt: { readonly rule: JwtRule; readonly jwks: Jwks } | undefined;
  readonly nowMs: () => number;
}

interface Remembered {
  readonly principal: Principal;
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
    if (known !== undefined && nowMs() < known.untilMs) return ok(known.principal);
    const verified = await this.#verify(credential);
    if (verified.ok) this.#remember(digest, verified.value);
    else this.#remembered.delete(digest);
    return verified.ok ? ok(verified.value.principal) : verified;
  }

  async #verify(credential: string): Promise<Result<Remembered>> {
    const { jwt, nowMs, keys, digests } = this.#deps;
    if (jwt !== undefined && looksLikeJwt(credential)) {
      const token = await verifyJwt(credential, jwt.rule, jwt.jwks, nowMs());
      if (!token.ok) return token;
      const untilMs = Math.min(token.value.expiresAtMs, nowMs() + tokenRememberedMs);
      return ok({ principal: token.value.principal, untilMs });
    }
    const principal = await verifyApiKey(credential, keys, digests);
    return principal.ok ? ok({ principal: principal.value, untilMs: nowMs() + keyRememberedMs }) : principal;
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
