/** How badly somebody behaves lately: points that fade, and what follows from them. */

export interface AbuseRule {
  /** After this long without an offence half of the points are gone. */
  readonly halfLifeMs: number;
  /** From so many points on a caller is slowed down, and all isolates count together. */
  readonly slowAt: number;
  /** At so many it is blocked. */
  readonly blockAt: number;
  /** The first block; each further one is twice as long, up to the longest. */
  readonly blockMs: number;
  readonly blockMsMax: number;
  /** After this long without a block the next is a first one again. */
  readonly forgiveMs: number;
  /** How long a caller is held up just below the block. */
  readonly delayMsMax: number;
}

/** One offence every five seconds, for ever, is slowed down and never blocked; twenty in a row are blocked. */
export const abuseRule: AbuseRule = {
  halfLifeMs: 60_000,
  slowAt: 5,
  blockAt: 20,
  blockMs: 60_000,
  blockMsMax: 3_600_000,
  forgiveMs: 86_400_000,
  delayMsMax: 1_000,
};

export interface AbuseRecord {
  /** As of `atMs`. */
  readonly points: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Blocks in a row. */
  readonly blocks: number;
  readonly blockedUntilMs: number;
}

export const cleanRecord: AbuseRecord = { points: 0, atMs: 0, blocks: 0, blockedUntilMs: 0 };

/** What is left of points after a time. */
export function fadedPoints({ halfLifeMs }: AbuseRule, points: number, ms: number): number {
  return points * 0.5 ** (Math.max(0, ms) / halfLifeMs);
}

export function scoreAt(rule: AbuseRule, { points, atMs }: AbuseRecord, nowMs: number): number {
  return fadedPoints(rule, points, nowMs - atMs);
}

export function isBlocked({ blockedUntilMs }: AbuseRecord, nowMs: number): boolean {
  return nowMs < blockedUntilMs;
}

/** The record after an offence. What is done during a block does not make it longer; after it, one begins at no points. */
export function offend(rule: AbuseRule, record: AbuseRecord, points: number, nowMs: number): AbuseRecord {
  if (isBlocked(record, nowMs)) return record;
  const score = scoreAt(rule, record, nowMs) + points;
  if (score < rule.blockAt) return { ...record, points: score, atMs: nowMs };
  const blocks = nowMs - record.blockedUntilMs > rule.forgiveMs ? 1 : record.blocks + 1;
  const blockMs = Math.min(rule.blockMsMax, rule.blockMs * 2 ** (blocks - 1));
  return { points: 0, atMs: nowMs, blocks, blockedUntilMs: nowMs + blockMs };
}

/** How long a caller of this score is held up, milliseconds: 0 below `slowAt`, then more with each point. */
export function delayOf({ slowAt, blockAt, delayMsMax }: AbuseRule, score: number): number {
  return score < slowAt ? 0 : Math.ceil(delayMsMax * Math.min(1, (score - slowAt + 1) / (blockAt - slowAt + 1)));
}
