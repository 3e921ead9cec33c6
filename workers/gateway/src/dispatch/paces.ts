import type { Fault, Tier } from "@ledge/contract";
import { awayMs, expectedMs, noPace, type Pace, type PacePrior, paced, type TierFacts } from "@ledge/policy";

/** Of so many models an isolate remembers how long they take; beyond, the one that was asked for longest ago is forgotten. */
const modelsMax = 256;

interface Watched {
  pace: Pace;
  /** Work of the calls that are under way, and of those that wait. */
  work: number;
  awayUntilMs: number;
}

/** How the tiers are doing with each model, as this isolate sees it. */
export class Paces {
  readonly #watched = new Map<string, Watched>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  facts(digest: string, tier: Tier, prior: PacePrior, work: number): TierFacts {
    const watched = this.#watched.get(tier + digest);
    const nowMs = this.#nowMs();
    if (watched === undefined) return { expectedMs: expectedMs(noPace, prior, work, nowMs), away: false };
    return {
      expectedMs: expectedMs(watched.pace, prior, watched.work + work, nowMs),
      away: watched.awayUntilMs > nowMs,
    };
  }

  /** A call begins; what is returned is told when it has ended, with its fault if it has one. */
  begin(digest: string, tier: Tier, work: number): (fault?: Fault) => void {
    const watched = this.#watch(tier + digest);
    const startedMs = this.#nowMs();
    watched.work += work;
    const before = watched.work;
    return (fault) => {
      watched.work -= work;
      const nowMs = this.#nowMs();
      const tookMs = nowMs - startedMs;
      if (fault === undefined) watched.pace = paced(watched.pace, before, tookMs, nowMs);
      // One that was given up would have taken longer; nobody knows how much.
      else if (fault.code === "deadline_exceeded") watched.pace = paced(watched.pace, before, 2 * tookMs, nowMs);
      else watched.awayUntilMs = Math.max(watched.awayUntilMs, nowMs + awayMs(fault));
    };
  }

  #watch(key: string): Watched {
    const watched = this.#watched.get(key) ?? { pace: noPace, work: 0, awayUntilMs: 0 };
    this.#watched.delete(key);
    this.#watched.set(key, watched);
    const [oldest] = this.#watched.keys();
    if (this.#watched.size > 2 * modelsMax && oldest !== undefined) this.#watched.delete(oldest);
    return watched;
  }
}
