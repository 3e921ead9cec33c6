import type { Rollout } from "@ledge/contract";
import { murmur3 } from "./murmur3.ts";

/** Weights are hundredths of a per cent. */
const wholeWeight = 10_000;

/**
 * Which version answers a caller, always the same for the same rollout, weights and key. `arms[0]` takes what the others
 * leave, so whoever is with the candidate stays there while its weight grows. The rollout's id is the salt: another
 * rollout deals the callers anew, so nobody is the guinea pig every time. Of a shadow it is always `arms[0]`.
 */
export function chooseArm(rollout: Rollout, stickyKey: string): string {
  const [first, ...others] = rollout.arms;
  if (first === undefined) throw new Error(`rollout ${rollout.id} has no arms`);
  if (rollout.kind === "shadow") return first.version;
  const place = placeOf(rollout.id, stickyKey);
  let border = 0;
  for (const { version, weight } of others) {
    border += weight;
    if (place < border) return version;
  }
  return first.version;
}

/** Whether a shadow's second arm gets a copy of this call. By call, not by caller: a share of calls is what was asked for. */
export function copiesToShadow(rollout: Rollout, requestId: string): boolean {
  return rollout.kind === "shadow" && placeOf(rollout.id, requestId) < rollout.arms[1].weight;
}

/** 0 to 9,999, evenly: 2³² does not divide by 10,000, which makes some places likelier by 2 in a million. */
function placeOf(salt: string, key: string): number {
  return Math.floor((murmur3(key, murmur3(salt)) / 2 ** 32) * wholeWeight);
}
