import { type Random, randomOf } from "../simulate/random.ts";

/** Made-up requests whose popularity follows Zipf's law, and what caches of other kinds would find of them. */

export interface Trace {
  /** Which object is asked for, request by request. */
  readonly asked: readonly number[];
  /** Of every object. */
  readonly sizes: readonly number[];
}

/** Sizes are spread over two orders of magnitude, 300 to 30,000, the logarithms evenly, whatever the popularity. */
export function traceOf(rule: {
  readonly alpha: number;
  readonly objects: number;
  readonly requests: number;
  readonly seed: number;
}): Trace {
  const random = randomOf(rule.seed);
  let sum = 0;
  const sums = Array.from({ length: rule.objects }, (_, rank) => (sum += (rank + 1) ** -rule.alpha));
  const asked = Array.from({ length: rule.requests }, () => firstAbove(sums, random() * sum));
  const sizes = Array.from({ length: rule.objects }, () => Math.round(300 * 100 ** random()));
  return { asked, sizes };
}

function firstAbove(sums: readonly number[], value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Hits of a cache that takes everything and lets go of what was used longest ago. */
export function leastRecentlyUsed(asked: readonly number[], sizes: readonly number[], bytesMax: number): number {
  const kept = new Set<number>();
  let [bytes, hits] = [0, 0];
  for (const at of asked) {
    if (kept.delete(at)) {
      kept.add(at);
      hits++;
      continue;
    }
    const size = sizes[at] ?? 0;
    if (size > bytesMax) continue;
    kept.add(at);
    bytes += size;
    for (const oldest of kept) {
      if (bytes <= bytesMax) break;
      kept.delete(oldest);
      bytes -= sizes[oldest] ?? 0;
    }
  }
  return hits;
}

const sampled = 64;

/**
 * Hits of one that knows the future, nearly the most there can be: it lets go of whatever takes most room for the longest
 * until it is asked for again (Belady's rule, by size), of 64 that it looks at, the newcomer among them.
 */
export function beladyBySize(asked: readonly number[], sizes: readonly number[], bytesMax: number): number {
  const next = nextUses(asked);
  const random = randomOf(1);
  const kept = new Kept();
  let [bytes, hits] = [0, 0];
  for (const [now, at] of asked.entries()) {
    if (kept.has(at)) hits++;
    else bytes += sizes[at] ?? 0;
    kept.put(at, next[now] ?? Number.POSITIVE_INFINITY);
    while (bytes > bytesMax) {
      const worst = kept.worst(at, random, (one, use) => (use - now) * (sizes[one] ?? 0));
      kept.remove(worst);
      bytes -= sizes[worst] ?? 0;
    }
  }
  return hits;
}

/** For each request, when its object is asked for next; `Infinity` for never. */
function nextUses(asked: readonly number[]): readonly number[] {
  const seen = new Map<number, number>();
  const next: number[] = [];
  for (let now = asked.length - 1; now >= 0; now--) {
    const at = asked[now] ?? 0;
    next[now] = seen.get(at) ?? Number.POSITIVE_INFINITY;
    seen.set(at, now);
  }
  return next;
}

/** What is kept, with its next use; any of it can be drawn. */
class Kept {
  readonly #uses = new Map<number, number>();
  readonly #list: number[] = [];
  readonly #places = new Map<number, number>();

  has(at: number): boolean {
    return this.#uses.has(at);
  }

  put(at: number, use: number): void {
    if (!this.#uses.has(at)) this.#places.set(at, this.#list.push(at) - 1);
    this.#uses.set(at, use);
  }

  remove(at: number): void {
    const [place, last] = [this.#places.get(at), this.#list.pop()];
    if (place !== undefined && last !== undefined && last !== at) {
      this.#list[place] = last;
      this.#places.set(last, place);
    }
    this.#places.delete(at);
    this.#uses.delete(at);
  }

  worst(newcomer: number, random: Random, cost: (at: number, use: number) => number): number {
    let worst = newcomer;
    for (let draw = 0; draw < sampled; draw++) {
      const at = this.#list[Math.floor(random() * this.#list.length)] ?? newcomer;
      if (this.#cost(at, cost) > this.#cost(worst, cost)) worst = at;
    }
    return worst;
  }

  #cost(at: number, cost: (at: number, use: number) => number): number {
    return cost(at, this.#uses.get(at) ?? 0);
  }
}
