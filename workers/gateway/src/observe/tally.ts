import { type ArmTally, noRollout, type TallyBatch, type VersionTally } from "@ledge/contract";
import {
  type ArmRef,
  addArmTallies,
  addVersionTallies,
  armTallyOf,
  type CacheEvent,
  type CallOutcome,
  cacheTally,
  emptyArmTally,
  emptyVersionTally,
  versionTallyOf,
} from "@ledge/policy";
import type { TallySink } from "./ports.ts";

/** How long what was counted may wait in the isolate. What an isolate that dies had not handed over is lost. */
const flushAfterMs = 1_000;
/** A flush that has not begun by then never will: the request whose background it was in is gone. */
const flushLostAfterMs = 5_000;

export interface TalliesDeps {
  readonly sink: TallySink;
  /** Random, one an isolate. */
  readonly isolate: () => string;
  readonly nowMs: () => number;
  /** Says to the operator what could not be handed over. */
  readonly say: (what: string) => void;
}

type Background = (work: Promise<unknown>) => void;

/** Which call was it: what the trail says once it is assigned. */
export interface Counted {
  readonly model: string;
  readonly version: string;
  /** Set when a rollout chose the version. */
  readonly arm?: ArmRef | undefined;
}

/** What is counted of one model and not yet handed over. */
interface Pad {
  readonly versions: Map<string, VersionTally>;
  /** By rollout id, then version. */
  readonly arms: Map<string, Map<string, ArmTally>>;
  /** Handed over, but nobody knows whether it arrived: goes again, as it is, before anything else. */
  sealed: TallyBatch | undefined;
  /** Of the last batch. */
  number: number;
}

/**
 * What this isolate counts, model by model: added up in memory, and handed to the model's counter about once a second in
 * the background of a request that made it change. Requests share nothing but the numbers.
 */
export class Tallies {
  readonly #deps: TalliesDeps;
  readonly #pads = new Map<string, Pad>();
  #isolate: string | undefined;
  #flushDueMs: number | undefined;

  constructor(deps: TalliesDeps) {
    this.#deps = deps;
  }

  /** Counts a call that was assigned to a version. */
  record({ model, version, arm }: Counted, outcome: CallOutcome, background: Background): void {
    const pad = this.#padOf(model);
    const tally = pad.versions.get(version) ?? emptyVersionTally;
    pad.versions.set(version, addVersionTallies(tally, versionTallyOf(outcome)));
    const counted = armTallyOf(outcome, arm?.rollout.limits);
    if (counted !== undefined) addToArm(pad, arm?.rollout.id ?? noRollout, version, counted);
    this.#flushSoon(background);
  }

  /** Counts an event of the answer cache that no call stands for. */
  recordCacheEvent({ model, version }: Counted, event: CacheEvent, background: Background): void {
    const { versions } = this.#padOf(model);
    const tally = versions.get(version) ?? emptyVersionTally;
    versions.set(version, addVersionTallies(tally, { ...emptyVersionTally, cache: cacheTally([event]) }));
    this.#flushSoon(background);
  }

  /** Counts what is known of an arm apart from calls: a shadow's copy. */
  recordArm(model: string, arm: ArmRef, counted: ArmTally, background: Background): void {
    addToArm(this.#padOf(model), arm.rollout.id, arm.version, counted);
    this.#flushSoon(background);
  }

  /** Hands over what is counted now. A batch that fails is kept and goes first the next time. */
  async flush(): Promise<void> {
    this.#flushDueMs = undefined;
    await Promise.all([...this.#pads].map(([model, pad]) => this.#hand(model, pad)));
  }

  async #hand(model: string, pad: Pad): Promise<void> {
    try {
      for (;;) {
        const batch = this.#seal(pad);
        if (batch === undefined) return;
        await this.#deps.sink.add(model, batch);
        // Another request may have handed the same batch over meanwhile, and sealed the next.
        if (pad.sealed === batch) pad.sealed = undefined;
      }
    } catch (error) {
      this.#deps.say(`the counter of '${model}' cannot be reached; what was counted is kept: ${String(error)}`);
    }
  }

  #seal(pad: Pad): TallyBatch | undefined {
    if (pad.sealed !== undefined) return pad.sealed;
    if (pad.versions.size === 0 && pad.arms.size === 0) return undefined;
    this.#isolate ??= this.#deps.isolate();
    pad.number += 1;
    pad.sealed = {
      isolate: this.#isolate,
      number: pad.number,
      versions: Object.fromEntries(pad.versions),
      arms: Object.fromEntries([...pad.arms].map(([rollout, arms]) => [rollout, Object.fromEntries(arms)])),
    };
    pad.versions.clear();
    pad.arms.clear();
    return pad.sealed;
  }

  #flushSoon(background: Background): void {
    const nowMs = this.#deps.nowMs();
    if (this.#flushDueMs !== undefined && nowMs < this.#flushDueMs + flushLostAfterMs) return;
    this.#flushDueMs = nowMs + flushAfterMs;
    background(new Promise((resolve) => setTimeout(resolve, flushAfterMs)).then(() => this.flush()));
  }

  #padOf(model: string): Pad {
    const known = this.#pads.get(model);
    if (known !== undefined) return known;
    const pad: Pad = { versions: new Map(), arms: new Map(), sealed: undefined, number: 0 };
    this.#pads.set(model, pad);
    return pad;
  }
}

function addToArm(pad: Pad, rollout: string, version: string, counted: ArmTally): void {
  const arms = pad.arms.get(rollout) ?? new Map<string, ArmTally>();
  arms.set(version, addArmTallies(arms.get(version) ?? emptyArmTally, counted));
  pad.arms.set(rollout, arms);
}
