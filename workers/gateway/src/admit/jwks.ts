import { type JwksState, jwksStep } from "@ledge/policy";
import {
  type CryptoKey,
  createLocalJWKSet,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  errors as jose,
} from "jose";

/** Fetches the provider's key set. Throws when it cannot be had. */
export type FetchJwks = () => Promise<JSONWebKeySet>;

/** No keys can be had: the provider is down and none were fetched before. */
export class KeysUnavailable extends Error {}

/**
 * One provider's keys, cached in the isolate. `jwksStep` decides when to fetch; jose picks the key, by `kid`, type and
 * algorithm. Not jose's remote set, because that one forgets failed tries: an unknown `kid` would then buy a fetch per
 * call while the provider is down, and known keys would stop verifying once they are stale.
 */
export class Jwks {
  readonly #fetchJwks: FetchJwks;
  readonly #nowMs: () => number;
  #state: JwksState = {};
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;

  constructor(fetchJwks: FetchJwks, nowMs: () => number) {
    this.#fetchJwks = fetchJwks;
    this.#nowMs = nowMs;
  }

  /** Errors: {@link KeysUnavailable}; jose's `JWKSNoMatchingKey` and `JWKSMultipleMatchingKeys`. */
  async keyFor(header: JWSHeaderParameters, input: FlattenedJWSInput): Promise<CryptoKey> {
    const keys = await this.#current("verify");
    try {
      return await keys(header, input);
    } catch (error) {
      if (!(error instanceof jose.JWKSNoMatchingKey)) throw error;
      const rotated = await this.#current("unknown-kid");
      if (rotated === keys) throw error;
      return await rotated(header, input);
    }
  }

  async #current(need: "verify" | "unknown-kid") {
    const nowMs = this.#nowMs();
    if (jwksStep(this.#state, need, nowMs) === "fetch") {
      // Written before the fetch: once there are keys, calls arriving meanwhile use them and do not fetch too. Before
      // there are any, each call fetches for itself: in Workers a promise of another request may never settle.
      this.#state = { ...this.#state, attemptedAtMs: nowMs };
      try {
        this.#keys = createLocalJWKSet(await this.#fetchJwks());
        this.#state = { ...this.#state, fetchedAtMs: nowMs };
      } catch (error) {
        this.#state = { ...this.#state, failedAtMs: this.#nowMs() };
        if (this.#keys === undefined) throw new KeysUnavailable(`key set: ${String(error)}`);
      }
    }
    if (this.#keys === undefined) throw new KeysUnavailable("key set: not fetched yet");
    return this.#keys;
  }
}
