/** What an isolate knows of the age of its snapshot. All milliseconds since 1970; 0 for never. */
export interface SnapshotAge {
  /** When the latest look that succeeded was begun. */
  readonly freshMs: number;
  /** When the latest look was begun, and the latest of those that failed or took too long. */
  readonly askedMs: number;
  readonly failedMs: number;
}

export const neverLooked: SnapshotAge = { freshMs: 0, askedMs: 0, failedMs: 0 };

/** Younger than this a snapshot is used as it is; also how often at most one isolate looks behind an answer. */
const freshForMs = 1_000;
/** Younger than this it is used while somebody looks for a newer one; older, the call waits for that look. */
const usableForMs = 3_000;

/** How long a call waits for a look: longer for an isolate's first, which knows only what was deployed with it. */
export const lookMsMax = 250;
export const firstLookMsMax = 2_000;

/**
 * Whether a call uses the snapshot at hand, uses it and has a newer one looked for behind its answer, or looks first.
 * After a look that failed nobody waits for the next one, which is made behind an answer a second later: a store that is
 * down must not slow every call.
 */
export function snapshotUse({ freshMs, askedMs, failedMs }: SnapshotAge, nowMs: number): "use" | "renew" | "wait" {
  if (nowMs - freshMs < freshForMs) return "use";
  const down = failedMs > freshMs && nowMs - failedMs < usableForMs;
  if (nowMs - freshMs >= usableForMs && !down) return "wait";
  return nowMs - askedMs < freshForMs ? "use" : "renew";
}
