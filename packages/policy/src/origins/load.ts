/** How long an origin takes for a model, as one isolate saw it: a peak-sensitive moving average. */
export interface Latency {
  readonly meanMs: number;
  readonly atMs: number;
}

export const unknownLatency: Latency = { meanMs: 0, atMs: 0 };

/** What was measured so long ago counts a third. */
const tauMs = 10_000;

/** A slower answer is believed at once, faster ones little by little. */
export function measured({ meanMs, atMs }: Latency, latencyMs: number, nowMs: number): Latency {
  if (latencyMs >= meanMs) return { meanMs: latencyMs, atMs: nowMs };
  const kept = Math.exp(-Math.max(0, nowMs - atMs) / tauMs);
  return { meanMs: meanMs * kept + latencyMs * (1 - kept), atMs: nowMs };
}

export interface Candidate {
  readonly latency: Latency;
  readonly inFlight: number;
  /** Above 0. */
  readonly weight: number;
}

/** What one call more would wait there. An old measurement fades, so that an origin that was slow is tried again. */
export function costOf({ latency: { meanMs, atMs }, inFlight, weight }: Candidate, nowMs: number): number {
  const faded = meanMs * Math.exp(-Math.max(0, nowMs - atMs) / tauMs);
  return ((faded + 1) * (inFlight + 1)) / weight;
}

/**
 * The cheaper of two that are drawn by their weights (power of two choices): not everybody runs to the one that looks best.
 * `draws` are two numbers from 0 to 1.
 */
export function cheaperOfTwo<C extends Candidate>(
  candidates: readonly C[],
  nowMs: number,
  draws: readonly [number, number],
): C | undefined {
  const first = drawn(candidates, draws[0]);
  const second = drawn(
    candidates.filter((candidate) => candidate !== first),
    draws[1],
  );
  if (first === undefined || second === undefined) return first;
  return costOf(second, nowMs) < costOf(first, nowMs) ? second : first;
}

function drawn<C extends Candidate>(candidates: readonly C[], draw: number): C | undefined {
  let left = draw * candidates.reduce((sum, { weight }) => sum + weight, 0);
  return (
    candidates.find(({ weight }) => {
      left -= weight;
      return left < 0;
    }) ?? candidates.at(-1)
  );
}
