/**
 * How long a tier takes for a model by the work that lies before it, as one isolate saw it lately: sums of a least-squares line,
 * in which what is long ago counts less and less.
 */
export interface Pace {
  readonly n: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly xy: number;
  readonly atMs: number;
}

export const noPace: Pace = { n: 0, x: 0, y: 0, xx: 0, xy: 0, atMs: 0 };

/** What is assumed of a tier that has said nothing yet: milliseconds for a call at all, and for each unit of its work. */
export interface PacePrior {
  readonly callMs: number;
  readonly workMs: number;
}

/** What was seen so long ago counts a third: a tier that was slow is soon tried again. */
const tauMs = 10_000;
/** Of busy tiers about the last fifty calls count. */
const keptPerCall = 0.98;

/** After a call that found `work` units before its end, its own among them, and took so long. */
export function paced(pace: Pace, work: number, tookMs: number, nowMs: number): Pace {
  const { n, x, y, xx, xy } = scaled(pace, fadedBy(pace, nowMs) * keptPerCall);
  return { n: n + 1, x: x + work, y: y + tookMs, xx: xx + work * work, xy: xy + work * tookMs, atMs: nowMs };
}

/** Milliseconds that a call would take there, by what was seen and, the less that is, by what is assumed. Never negative. */
export function expectedMs(pace: Pace, { callMs, workMs }: PacePrior, work: number, nowMs: number): number {
  const seen = scaled(pace, fadedBy(pace, nowMs));
  // What is assumed counts as two calls, of no work and of as much as is usual.
  const far = seen.n < 1 ? 1 : Math.max(1, seen.x / seen.n);
  const n = seen.n + 2;
  const x = seen.x + far;
  const y = seen.y + 2 * callMs + far * workMs;
  const xx = seen.xx + far * far;
  const xy = seen.xy + far * (callMs + far * workMs);
  const slope = Math.max(0, (n * xy - x * y) / (n * xx - x * x));
  return Math.max(0, (y - slope * x) / n) + slope * work;
}

function fadedBy({ atMs }: Pace, nowMs: number): number {
  return Math.exp(-Math.max(0, nowMs - atMs) / tauMs);
}

function scaled({ n, x, y, xx, xy }: Pace, by: number) {
  return { n: n * by, x: x * by, y: y * by, xx: xx * by, xy: xy * by };
}
