import { type CacheOutcome, flightFailuresMax, flightKeptMs } from "@ledge/policy";
import { type Asked, aboutOf, mayShare } from "./asked.ts";
import type { Got } from "./calls.ts";
import type { Ending, SimulatedKeeper } from "./keeper.ts";
import { isOn, type Kept, type Ledger, ruled, type Say } from "./ledger.ts";
import { type OriginWork, saidBy } from "./origin.ts";
import type { VirtualTime } from "./time.ts";

/** Rules that could be read for so long are known everywhere. */
const heardWithinMs = 2_000;
/** Rules that could not be read for so long are not gone by. */
const rulesMsMax = 60_000;
/** Telling a room that work has ended takes its time, more where the way there is slow. */
const landingMsMax = { well: 300, slow: 2_000 };
/** No caller waits longer, and nothing is worked on for longer. */
const workMsMax = 60_000;
/** Faults after which a stale answer may stand in. */
const hiddenByStale = new Set(["upstream_failed", "origin_unavailable", "overloaded", "deadline_exceeded"]);

interface Wells {
  /** Milliseconds since 1970. */
  readonly answers: number;
  readonly snapshots: number;
  readonly rooms: keyof typeof landingMsMax;
}

/** Holds every answer against what was asked, what the origin did and what the operator has said. */
export class Checks {
  readonly #time: VirtualTime;
  readonly #keeper: SimulatedKeeper;
  readonly #works: readonly OriginWork[];
  readonly #ledger: Ledger;
  readonly #say: Say;

  constructor(time: VirtualTime, keeper: SimulatedKeeper, works: readonly OriginWork[], ledger: Ledger, say: Say) {
    this.#time = time;
    this.#keeper = keeper;
    this.#works = works;
    this.#ledger = ledger;
    this.#say = say;
  }

  answered(asked: Asked, got: Got): void {
    const say: Say = (wrong) => this.#say(`${wrong}: ${describe(asked)} ${JSON.stringify(got)}`);
    if (this.#time.nowMs > asked.deadlineMs + 1_500)
      say(`an answer came ${this.#time.nowMs - asked.deadlineMs} ms after the deadline`);
    if (got.kind === "fault") this.#fault(asked, got.code, say);
    else if (got.kind === "broken") this.#broken(asked, got.text, say);
    else this.#answer(asked, got, say);
    this.#findable(asked, got, say);
  }

  #answer(asked: Asked, { said, outcome }: Extract<Got, { kind: "answer" }>, say: Say): void {
    const work = said && this.#works[said.serial];
    if (said === undefined || work === undefined) {
      say("an answer is not whole");
      return;
    }
    if (said.about !== asked.about || work.asked.about !== asked.about) {
      say("an answer is to another question");
      return;
    }
    if (outcome === undefined) {
      say("nobody said where an answer came from");
      return;
    }
    const cached = outcome.kind === "hit" || outcome.failed !== undefined;
    if (cached) this.#cached(asked, work, outcome, say);
    else if (outcome.kind === "forward" && outcome.collapsed === true) this.#collapsed(asked, work, outcome.id, say);
    else if (work.asked !== asked) say("an answer that was made for another call is not reported so");
  }

  #cached(asked: Asked, work: OriginWork, outcome: CacheOutcome, say: Say): void {
    const kept = this.#ledger.bySerial.get(work.serial);
    if (kept === undefined) {
      say("an answer comes from the cache that was never kept");
      return;
    }
    if (work.fate !== "answers") say(`what '${work.fate}' comes from the cache`);
    if (!mayShare(asked)) say("an answer comes from the cache against the caller's wish");
    if (!this.#states(asked).some((state) => isOn(state, asked.question))) say("a cache that is off answered");
    if (asked.startedMs - asked.isolate.readMs > rulesMsMax) say("rules that are too old were gone by");
    if (!this.#mayServe(asked, kept, outcome.kind === "forward")) say("an answer is older than wish and policy allow");
    this.#notEnded(asked, work, outcome.id, say);
  }

  #collapsed(asked: Asked, work: OriginWork, id: string | undefined, say: Say): void {
    // How a stream is reported is said before it is known who ends it.
    if (work.asked === asked && asked.form !== "stream") say("a call's own answer is reported as another's");
    if (!mayShare(asked) || !mayShare(work.asked)) say("calls shared work that must not");
    const waitedMs = asked.startedMs - (work.endedMs ?? this.#time.nowMs);
    const { maxAgeS = Number.POSITIVE_INFINITY } = asked.wish;
    if (waitedMs > Math.min(flightKeptMs, maxAgeS * 1000) + landingMsMax[this.#wells.rooms])
      say("work was shared that ended long before the call");
    this.#notEnded(asked, work, id, say);
  }

  /** Whether no purge and no destroyed key that had to be known lies between the work and the call. */
  #notEnded({ heard, startedMs }: Asked, work: OriginWork, id: string | undefined, say: Say): void {
    const tags = this.#ledger.bySerial.get(work.serial)?.tags ?? work.asked.wish.tags;
    for (const ending of this.#keeper.endings.toReversed()) {
      if (ending.atMs <= work.startedMs) return;
      const known = ending.number <= heard || this.#hadToBeHeard(ending, startedMs);
      if (known && this.#ends(ending, work.asked, tags, id)) {
        say(`an answer is from before '${ending.scope}' (${ending.number <= heard ? "heard of" : "in time"})`);
        return;
      }
    }
  }

  #hadToBeHeard({ publishedMs }: Ending, startedMs: number): boolean {
    const { wellSinceMs } = this.#keeper.snapshots;
    return Math.max(publishedMs, wellSinceMs) <= startedMs - heardWithinMs;
  }

  #ends({ scope }: Ending, { question }: Asked, tags: readonly string[], id: string | undefined): boolean {
    const { tenant, model, version } = question;
    const scopes = ["all", `tenant:${tenant}`, `keys:${tenant}`, `model:${model}`, `version:${model}@${version}`];
    return [...scopes, ...tags.map((tag) => `tag:${tenant}:${tag}`), `key:${tenant}:${id}`].includes(scope);
  }

  /** RFC 9111 and RFC 5861, under any of the rules that the isolate may have gone by. */
  #mayServe(asked: Asked, kept: Kept, failed: boolean): boolean {
    const { maxAgeS, minFreshS, maxStaleS } = asked.wish;
    const atMs = Math.max(asked.startedMs, kept.createdAtMs);
    const [ageS, staleS] = [(atMs - kept.createdAtMs) / 1000, (atMs - kept.freshUntilMs) / 1000];
    if (maxAgeS !== undefined && ageS > maxAgeS + (maxStaleS ?? 0)) return false;
    if (minFreshS !== undefined) return -staleS >= minFreshS;
    if (staleS <= 0) return true;
    if (maxStaleS !== undefined) return staleS <= maxStaleS;
    if (maxAgeS !== undefined) return false;
    const windows = this.#states(asked).map((state) => {
      const [behind, instead] = (["stale_while_revalidate_s", "stale_if_error_s"] as const).map((member) =>
        ruled(member, state, asked.question),
      );
      return failed ? Math.max(behind ?? 0, instead ?? 0) : (behind ?? 0);
    });
    return staleS < Math.max(...windows);
  }

  #states({ heard, isolate }: Asked) {
    return this.#ledger.statesSince(heard, isolate.heard);
  }

  #fault(asked: Asked, code: string, say: Say): void {
    const { wish, question } = asked;
    if (code === "not_cached") {
      if (!wish.onlyIfCached) say("somebody was refused who asked for no answer from the cache alone");
      return;
    }
    if (code === "invalid_header") {
      const most = this.#states(asked).map((state) => ruled("ttl_s_max", state, question));
      if ((wish.ttlS ?? 0) <= Math.min(...most)) say("a header within its range was refused");
      return;
    }
    if (code === "deadline_exceeded" && this.#time.nowMs >= asked.deadlineMs) return;
    const failed = this.#failures(asked);
    const ofInput = failed.some(({ fate }) => fate === "refused-input");
    if (code === "context_length_exceeded" && ofInput) return;
    const own = failed.some((work) => work.asked === asked);
    if (!own && failed.length < flightFailuresMax)
      say(
        `somebody failed ${asked.deadlineMs - this.#time.nowMs} ms before the deadline who could have been served, by ${failed.map(workLine)}`,
      );
  }

  #broken(asked: Asked, text: string, say: Say): void {
    // Once it has said what only that piece of work says, there is no other stream that goes on from there.
    if (this.#time.nowMs >= asked.deadlineMs || saidBy(text) !== undefined) return;
    const failed = this.#failures(asked);
    if (!failed.some((work) => work.asked === asked) && failed.length < flightFailuresMax) {
      say(`a stream broke off that could have gone on, by ${failed.map(workLine)}`);
    }
  }

  /** The origin's failures that this call may have waited for. */
  #failures({ about, startedMs }: Asked): readonly OriginWork[] {
    const failures: OriginWork[] = [];
    for (let at = this.#works.length - 1; at >= 0; at--) {
      const work = this.#works[at];
      // Whatever began longer ago was over when the call began.
      if (work === undefined || work.startedMs < startedMs - workMsMax) break;
      const { asked, fate, endedMs, stopped } = work;
      const late = (endedMs ?? this.#time.nowMs) >= startedMs - flightKeptMs;
      if (asked.about === about && fate !== "answers" && !stopped && late) failures.push(work);
    }
    return failures;
  }

  /** What surely lay in KV and served anybody is not asked of the origin again, and no fault is shown in its place. */
  #findable(asked: Asked, got: Got, say: Say): void {
    const { answers, snapshots } = this.#wells;
    const kept = this.#ledger.byAbout.get(asked.about)?.at(-1);
    if (kept?.storedMs === undefined || kept.storedMs >= asked.startedMs || !mayShare(asked)) return;
    if (got.kind === "fault" && got.code === "invalid_header") return;
    const { maxAgeS, minFreshS, maxStaleS } = asked.wish;
    if (maxAgeS !== undefined || minFreshS !== undefined || maxStaleS !== undefined) return;
    const wellMs = Math.max(answers, snapshots);
    if (wellMs > kept.puttingMs || wellMs > asked.startedMs - heardWithinMs || this.#keeper.down) return;
    // Whatever the operator has said since may have ended it.
    const [first] = this.#keeper.states.slice(kept.work.asked.heard);
    // What the isolate heard after the call had begun is not what the call goes by.
    if (first !== this.#keeper.state || asked.heard !== first.number) return;
    const { nowMs } = this.#time;
    const fresh = nowMs < kept.freshUntilMs;
    const cached = got.outcome?.kind === "hit" || (got.outcome?.kind === "forward" && got.outcome.failed !== undefined);
    if (fresh && !cached) say("a fresh answer was not found");
    const standsIn = nowMs < kept.freshUntilMs + 1000 * ruled("stale_if_error_s", first, asked.question);
    if (got.kind === "fault" && hiddenByStale.has(got.code) && standsIn)
      say("a fault was shown in place of a stale answer");
  }

  /** Set by the world: since when KV has been well, and whether rooms are. */
  wells: () => Wells = () => ({ answers: 0, snapshots: 0, rooms: "well" });

  get #wells() {
    return this.wells();
  }

  /** No two pieces of work for equal calls that know the same and could share it, where nothing is out of order. */
  startsAlone(work: OriginWork): void {
    const { asked } = work;
    const { number } = this.#keeper.state;
    if (!mayShare(asked) || asked.heard !== number || !isOn(this.#keeper.state, asked.question)) return;
    const equal = this.#works.find(
      (other) =>
        other !== work &&
        other.endedMs === undefined &&
        other.asked.about === asked.about &&
        other.asked.heard === number &&
        mayShare(other.asked) &&
        (asked.question.model !== "near" || other.asked.isolate === asked.isolate),
    );
    if (equal)
      this.#say(
        `the origin was asked twice at once: by ${describe(equal.asked)} since ${equal.startedMs}, and by ${describe(asked)} at ${this.#time.nowMs}`,
      );
  }
}

export function describe(asked: Asked): string {
  const { id, isolate, form, wish, heard, startedMs, question } = asked;
  const { lookup: _lookup, store: _store, ...said } = wish;
  return `${id} (${isolate.name}, ${form}, heard ${heard}, at ${startedMs % 10_000_000}) ${aboutOf(question)} ${JSON.stringify(said)}`;
}

function workLine({ serial, asked, fate, startedMs, endedMs }: OriginWork): string {
  const [from, to] = [startedMs, endedMs ?? Number.NaN].map((ms) => ms % 10_000_000);
  return `${serial} for ${asked.id} in ${asked.isolate.name} from ${from} to ${to} ${fate}`;
}
