import type { WakeAnswer } from "@ledge/contract";
import type { WakingAsk, WakingTask } from "@ledge/policy/origins";
import { InFlight } from "../choose/in-flight.ts";
import type { Origin } from "../config.ts";

/** Where isolates tell one another who wakes a model. A throw means that it cannot be reached. */
export interface WakeBook {
  waking(model: string, ask: WakingAsk): Promise<WakingTask>;
}

export interface WakesDeps {
  readonly book: WakeBook;
  /** Asks an origin to wake a model; `undefined` when it does not say. */
  wake(origin: Origin, model: string): Promise<WakeAnswer | undefined>;
  readonly origins: readonly Origin[];
  /** Told where a model has woken. */
  readonly onAwake: (origin: string, model: string) => void;
  /** Calls that an isolate holds. */
  readonly heldMax: number;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A model that is asleep: who said so, and about how long it takes to wake. */
export interface Asleep {
  readonly origin: Origin;
  readonly etaMs: number;
}

/** How a call's wait ended. `full`: it was not held, since too many are. */
export type Waited = "awake" | "failed" | "late" | "full";

interface Waking {
  origin: Origin;
  dueMs: number;
  round?: number;
  polls: number;
  misses: number;
  nextPollMs: number;
  /** One of the calls looks until then; one that was cut off never says what it saw. */
  pollingUntilMs: number;
  /** Until then at least one call waits. */
  wantedUntilMs: number;
  outcome?: "awake" | "failed";
}

/** Who waits looks this often whether another has seen something, and the seldomer the more wait: 500 looks a second at most. */
const tickMs = 100;
const tickMsEach = 2;
const pollMsMin = 100;
const pollMsMax = 2_000;
const pollingMsMax = 10_000;
/** An origin that does not say how it stands so often in a row has failed. */
const missesMax = 3;

/**
 * The models that are being woken, and the calls that wait for them: one an isolate. One of the calls polls, by turns, each in its
 * own time: a request that ends takes its timers and its connections along.
 */
export class Wakes {
  readonly #deps: WakesDeps;
  /** Drawn when it is first told: an isolate that starts has no randomness. */
  #isolate: string | undefined;
  readonly #models = new Map<string, Waking>();
  readonly #held = new InFlight();

  constructor(deps: WakesDeps) {
    this.#deps = deps;
  }

  /** Set while calls wait for the model: who comes now need not ask an origin to learn that it is asleep. */
  asleep(model: string): Asleep | undefined {
    const nowMs = this.#deps.nowMs();
    const waking = this.#models.get(model);
    if (waking === undefined || waking.wantedUntilMs <= nowMs) return undefined;
    return { origin: waking.origin, etaMs: Math.max(0, waking.dueMs - nowMs) };
  }

  /** Holds a call until its model is awake, has failed to wake, or `untilMs`. */
  async hold(model: string, asleep: Asleep, untilMs: number): Promise<Waited> {
    const { nowMs, sleep, heldMax } = this.#deps;
    const waking = this.#wakingOf(model, asleep);
    waking.wantedUntilMs = Math.max(waking.wantedUntilMs, untilMs);
    if (this.#held.count(nowMs(), heldMax) >= heldMax) return "full";
    const place = this.#held.begin(untilMs);
    try {
      while (waking.outcome === undefined && nowMs() < untilMs) {
        const leftMs = untilMs - nowMs();
        if (nowMs() < waking.nextPollMs || nowMs() < waking.pollingUntilMs)
          await sleep(Math.min(leftMs, tickMs + tickMsEach * this.#held.count(nowMs(), heldMax)));
        else await Promise.race([this.#poll(model, waking), sleep(leftMs)]);
      }
      return waking.outcome ?? "late";
    } finally {
      this.#held.end(place);
    }
  }

  #wakingOf(model: string, { origin, etaMs }: Asleep): Waking {
    const nowMs = this.#deps.nowMs();
    const known = this.#models.get(model);
    // What nobody has waited for any more is begun anew: a round that ended meanwhile is not heard of.
    if (known !== undefined && known.wantedUntilMs > nowMs) return known;
    const never = { polls: 0, misses: 0, nextPollMs: 0, pollingUntilMs: 0, wantedUntilMs: 0 };
    const waking = { origin, dueMs: nowMs + etaMs, ...never };
    this.#models.set(model, waking);
    return waking;
  }

  async #poll(model: string, waking: Waking): Promise<void> {
    const { nowMs } = this.#deps;
    waking.pollingUntilMs = nowMs() + pollingMsMax;
    const outcome = await this.#look(model, waking);
    waking.pollingUntilMs = 0;
    waking.nextPollMs = nowMs() + Math.min(pollMsMax, pollMsMin * 2 ** waking.polls++);
    if (outcome === undefined || waking.outcome !== undefined) return;
    waking.outcome = outcome;
    if (this.#models.get(model) === waking) this.#models.delete(model);
    if (outcome === "awake") this.#deps.onAwake(waking.origin.name, model);
  }

  /** What the book says, or the origin where the book says that it is on us to ask; without a book everybody asks. Never throws. */
  async #look(model: string, waking: Waking): Promise<"awake" | "failed" | undefined> {
    const task = await this.#tell(model, waking);
    if (task?.kind === "ended") return task.awake ? "awake" : "failed";
    if (task?.kind === "wait") return undefined;
    const ended = await this.#ask(model, waking);
    if (ended !== undefined && task !== undefined) await this.#tell(model, waking, ended);
    return ended;
  }

  async #tell(model: string, waking: Waking, ended?: "awake" | "failed"): Promise<WakingTask | undefined> {
    const { book, origins } = this.#deps;
    const { origin, round } = waking;
    this.#isolate ??= crypto.randomUUID();
    try {
      const task = await book.waking(model, { isolate: this.#isolate, origin: origin.name, round, ended });
      waking.round = task.round;
      waking.origin = origins.find(({ name }) => name === task.origin) ?? origin;
      return task;
    } catch {
      return undefined;
    }
  }

  async #ask(model: string, waking: Waking): Promise<"awake" | "failed" | undefined> {
    const answer = await this.#deps.wake(waking.origin, model);
    if (answer === undefined) return ++waking.misses >= missesMax ? "failed" : undefined;
    waking.misses = 0;
    waking.dueMs = this.#deps.nowMs() + answer.eta_ms;
    return answer.state === "waking" ? undefined : answer.state;
  }
}
