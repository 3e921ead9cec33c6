import {
  fail,
  type IdentityService,
  type JobCaller,
  type KeyRecord,
  ok,
  type Result,
  type VerifiedToken,
} from "@ledge/contract";
import { isAddressIn, isApiKey } from "@ledge/policy";
import { bearer } from "../bearer.ts";
import type { Principal } from "../exchange.ts";
import type { Digests } from "../ports.ts";
import { type KeyDoor, verifyApiKey, verifyHash } from "./api-key.ts";
import { certificateOf } from "./certificate.ts";
import type { Standings } from "./standings.ts";

/** A changed or revoked key is known in an isolate after this long. */
const keyRememberedMs = 5_000;
const rememberedMax = 10_000;
/** Longer than any token of ours; hashing stays cheap whatever is sent. */
const credentialCharsMax = 8_192;

export interface IdentityDeps {
  readonly door: KeyDoor;
  /** The identity Worker. */
  readonly tokens: IdentityService;
  readonly standings: Standings;
  readonly digests: Digests;
  readonly nowMs: () => number;
}

/** Who a credential is, apart from what holds for it. */
interface Remembered {
  readonly who: Omit<Principal, "standing"> & Pick<KeyRecord, "tier" | "limits">;
  /** Where it may be used from; absent: anywhere. */
  readonly ips?: readonly string[];
  readonly untilMs: number;
  /** What may be kept of a token. */
  readonly kept?: JobCaller;
}

/**
 * Who sent a request. Verified credentials are remembered in the isolate under the SHA-256 of the **whole** credential:
 * a prefix or a decoded claim as the key is how other gateways mixed up their callers. Failures are not remembered.
 */
export class Identity {
  readonly #deps: IdentityDeps;
  readonly #remembered = new Map<string, Remembered>();
  readonly #vouched = new WeakMap<Request, JobCaller>();

  constructor(deps: IdentityDeps) {
    this.#deps = deps;
  }

  /**
   * Errors: `missing_credentials`, `invalid_credentials`, `expired_credentials`, `address_denied`, `tenant_suspended`;
   * `identity_unavailable` when nobody can say whose the credential is.
   */
  async of(request: Request): Promise<Result<Principal>> {
    const found = await this.#find(request);
    if (!found.ok) return found;
    const { who, ips } = found.value;
    if (ips !== undefined && !isAddressIn(request.headers.get("CF-Connecting-IP"), ips)) return fail("address_denied");
    const { tier: _tier, limits: _limits, ...principal } = who;
    const standing = await this.#deps.standings.of(who);
    return standing.ok ? ok({ ...principal, standing: standing.value }) : standing;
  }

  /** Whose a request is that comes again without its credential: by the object, so that nothing sent can claim it. */
  vouch(request: Request, caller: JobCaller): void {
    this.#vouched.set(request, caller);
  }

  /** What to {@link vouch} with for the caller later; nothing of an opaque token, which its issuer may take back, nor of what was vouched for. */
  keptOf(request: Request): JobCaller | undefined {
    if (this.#vouched.has(request)) return undefined;
    const credential = bearer(request.headers);
    const { digests, door } = this.#deps;
    if (credential === undefined) return hashed(certificateOf(request));
    return isApiKey(credential)
      ? hashed(door.keyedHash(credential))
      : this.#remembered.get(digests.sha256Hex(credential))?.kept;
  }

  /** A credential in a header comes first: it was sent on purpose, a certificate comes with every request of a connection. */
  async #find(request: Request): Promise<Result<Remembered>> {
    const vouched = this.#vouched.get(request);
    if (vouched !== undefined) return await this.#again(vouched);
    const credential = bearer(request.headers);
    if (credential === undefined) return await this.#byCertificate(request);
    if (credential.length > credentialCharsMax) return fail("invalid_credentials");
    return await this.#recall(this.#deps.digests.sha256Hex(credential), () => this.#verify(credential));
  }

  async #byCertificate(request: Request): Promise<Result<Remembered>> {
    const sha256 = certificateOf(request);
    return sha256 === undefined ? fail("missing_credentials") : await this.#byHash(sha256);
  }

  /** Read afresh, what was revoked or has expired since opens nothing. */
  async #again(caller: JobCaller): Promise<Result<Remembered>> {
    if ("hash" in caller) return await this.#byHash(caller.hash);
    const nowMs = this.#deps.nowMs();
    return caller.token.expiresAtMs > nowMs ? ok(bearerOf(caller.token, nowMs)) : fail("expired_credentials");
  }

  async #byHash(hash: string): Promise<Result<Remembered>> {
    const { door, nowMs } = this.#deps;
    return await this.#recall(`hash:${hash}`, async () => {
      const stored = await verifyHash(hash, door, nowMs());
      return stored.ok ? ok(holderOf(stored.value, nowMs())) : stored;
    });
  }

  async #verify(credential: string): Promise<Result<Remembered>> {
    const { tokens, nowMs, door } = this.#deps;
    if (isApiKey(credential)) {
      const key = await verifyApiKey(credential, door, nowMs());
      return key.ok ? ok(holderOf(key.value, nowMs())) : key;
    }
    try {
      const token = await tokens.verify(credential);
      return token.ok ? ok(bearerOf(token.value, nowMs())) : token;
    } catch (error) {
      return fail("identity_unavailable", { retryAfterMs: 1_000, cause: `the identity Worker: ${String(error)}` });
    }
  }

  async #recall(name: string, verify: () => Promise<Result<Remembered>>): Promise<Result<Remembered>> {
    const known = this.#remembered.get(name);
    if (known !== undefined && this.#deps.nowMs() < known.untilMs) return ok(known);
    const verified = await verify();
    this.#remembered.delete(name);
    if (verified.ok) this.#remember(name, verified.value);
    return verified;
  }

  /** The oldest entry goes first: a Map keeps the order of insertion. */
  #remember(name: string, entry: Remembered): void {
    if (this.#remembered.size >= rememberedMax) {
      const oldest = this.#remembered.keys().next().value;
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.set(name, entry);
  }
}

/** Of an API key or a certificate. */
function holderOf(record: KeyRecord, nowMs: number): Remembered {
  const { id, tenant, project, user, scopes, tier, limits, ips, expiresAtMs = Number.POSITIVE_INFINITY } = record;
  const who = {
    tenant,
    subject: `key:${id}`,
    keyId: id,
    scopes,
    ...(project === undefined ? {} : { project }),
    ...(user === undefined ? {} : { user }),
    ...(tier === undefined ? {} : { tier }),
    ...(limits === undefined ? {} : { limits }),
  };
  return { who, untilMs: Math.min(expiresAtMs, nowMs + keyRememberedMs), ...(ips === undefined ? {} : { ips }) };
}

/** Lengths keep tenant "a" with user "b:c" apart from tenant "a:b" with user "c"; an issuer's name keeps its users its own. */
function bearerOf(token: VerifiedToken, nowMs: number): Remembered {
  const { issuer, tenant, user, scopes, tier, goodForMs, expiresAtMs } = token;
  const subject = `jwt:${tenant.length}:${tenant}:${issuer}:${user}`;
  const who = { tenant, subject, user, scopes, ...(tier === undefined ? {} : { tier }) };
  const kept = expiresAtMs === undefined ? {} : { kept: { token: { ...token, expiresAtMs } } };
  return { who, untilMs: nowMs + goodForMs, ...kept };
}

function hashed(hash: string | undefined): JobCaller | undefined {
  return hash === undefined ? undefined : { hash };
}
