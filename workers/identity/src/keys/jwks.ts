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

/** How often a call looks whether the fetch that it waits for has come back. */
const lookEveryMs = 20;

export interface JwksDeps {
  readonly fetchJwks: FetchJwks;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * One provider's keys, cached in the isolate. `jwksStep` decides when to fetch; jose picks the key, by `kid`, type and
 * algorithm. Not jose's remote set, because that one forgets failed tries: an unknown `kid` would then buy a fetch per
 * call while the provider is down, and known keys would stop verifying once they are stale.
 */
export class Jwks {
  readonly #deps: JwksDeps;
  #state: JwksState = {};
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;

  constructor(deps: JwksDeps) {
    this.#deps = deps;
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
    const step = await this.#step(need);
    if (step === "fetch") await this.#fetch();
    if (this.#keys === undefined) throw new KeysUnavailable("key set: not fetched yet");
    return this.#keys;
  }

  /**
   * A first fetch is made once and waited for by looking: in Workers a promise that belongs to another request's I/O may
   * never settle.
   */
  async #step(need: "verify" | "unknown-kid") {
    for (;;) {
      const nowMs = this.#deps.nowMs();
      const step = jwksStep(this.#state, need, nowMs);
      // Noted before anything is awaited: calls arriving meanwhile wait, or use the keys there are, and do not fetch too.
      if (step === "fetch") this.#state = { ...this.#state, attemptedAtMs: nowMs };
      if (step !== "wait") return step;
      await this.#deps.sleep(lookEveryMs);
    }
  }

  async #fetch(): Promise<void> {
    const { fetchJwks, nowMs } = this.#deps;
    const attemptedAtMs = nowMs();
    try {
      this.#keys = createLocalJWKSet(await fetchJwks());
      this.#state = { ...this.#state, fetchedAtMs: attemptedAtMs };
    } catch (error) {
      this.#state = { ...this.#state, failedAtMs: Math.max(attemptedAtMs, nowMs()) };
      if (this.#keys === undefined) throw new KeysUnavailable(`key set: ${String(error)}`);
    }
  }
}
