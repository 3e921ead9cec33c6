import type { SnapshotAge } from "../snapshot-refresh.ts";

/** Younger than this the rules are used as they are; also how often at most one isolate looks behind an answer. */
const freshForMs = 1_000;
/** Younger than this they are used while somebody looks for newer ones; older, the call waits for that look. */
const usableForMs = 2_000;
/** While the store cannot be read, what is known serves as long as the store itself may take to spread a change. */
const downForMs = 60_000;
/** So long after a look that failed was begun nobody waits for the next one, which is made behind an answer. */
const downRetryMs = 2_000;

export interface RulesUse {
  /** The rules at hand, those that a look behind or before the answer finds, or none: what is known is too old to answer by. */
  readonly by: "known" | "look" | "none";
  /** Whether newer ones are to be looked for behind the answer. */
  readonly renew: boolean;
}

/** By which rules a call is answered. While the store is down no call waits for it, except the first one to find out. */
export function rulesUse({ freshMs, askedMs, failedMs }: SnapshotAge, nowMs: number): RulesUse {
  const ageMs = nowMs - freshMs;
  const renew = ageMs >= freshForMs && nowMs - askedMs >= freshForMs;
  if (ageMs < usableForMs) return { by: "known", renew };
  const down = failedMs > freshMs && nowMs - failedMs < downRetryMs;
  if (!down) return { by: "look", renew: false };
  return { by: ageMs < downForMs ? "known" : "none", renew };
}
