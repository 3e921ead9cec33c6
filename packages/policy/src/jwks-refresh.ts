/** When the key set of an identity provider was fetched, and when a fetch was last tried. */
export interface JwksState {
  /** `undefined` before the first success. */
  readonly fetchedAtMs?: number;
  /** `undefined` before the first try. */
  readonly attemptedAtMs?: number;
  /** When a try failed; `undefined` before the first failure. */
  readonly failedAtMs?: number;
}

/** Keys older than this are fetched again, so that a removed key stops verifying. */
const staleAfterMs = 10 * 60_000;
/** An unknown `kid` may be a rotation or an attack: it buys at most one fetch in this time. */
const unknownKidCooldownMs = 60_000;
/** After a failed try without any keys, the provider is left alone this long. */
const failureCooldownMs = 5_000;

/** A first fetch that has not come back by then is lost: whoever made it is gone. */
const fetchLostAfterMs = 4_000;

export type JwksStep = "use" | "fetch" | "wait" | "unavailable";

/**
 * Whether to use the keys at hand, fetch first, wait for a first fetch that somebody else makes, or give up for now. A provider that is down does not stop known keys:
 * stale keys are used while no fetch succeeds, and fetching them again is tried at most once a minute.
 */
export function jwksStep(state: JwksState, need: "verify" | "unknown-kid", nowMs: number): JwksStep {
  if (state.fetchedAtMs === undefined) {
    const failedLately = state.failedAtMs !== undefined && nowMs - state.failedAtMs < failureCooldownMs;
    if (failedLately) return "unavailable";
    const underWay = state.attemptedAtMs !== undefined && state.attemptedAtMs > (state.failedAtMs ?? 0);
    return underWay && nowMs - state.attemptedAtMs < fetchLostAfterMs ? "wait" : "fetch";
  }
  if (state.attemptedAtMs !== undefined && nowMs - state.attemptedAtMs < unknownKidCooldownMs) return "use";
  if (need === "unknown-kid" || nowMs - state.fetchedAtMs >= staleAfterMs) return "fetch";
  return "use";
}
