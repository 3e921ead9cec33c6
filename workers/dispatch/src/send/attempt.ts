import { type Fault, fail } from "@ledge/contract";
import { backoffMs, backoffRule } from "@ledge/policy/origins";
import type { Seat } from "../choose/seat.ts";
import type { Chosen, Seats, Wish } from "../choose/seats.ts";
import type { Origin } from "../config.ts";
import type { Allowance } from "./allowance.ts";
import type { Asked } from "./ask.ts";
import type { Call } from "./call.ts";

export interface AttemptDeps {
  readonly seats: Seats;
  readonly allowance: Allowance;
  ask(origin: Origin, call: Call, signal: AbortSignal | undefined): Promise<Asked>;
  lives(origin: Origin): Promise<boolean>;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly say: (what: string) => void;
}

/** Requests that one call may become. */
const attemptsMax = 4;
/** A call that waits longer looks whether its origin lives. */
const lookAfterMs = 1_000;
/** Looks at one origin are at least this far apart. */
const lookAgainMs = 250;

/** The answer to a call, and which origin gave it after how many requests. */
export interface Answered {
  readonly response: Response;
  readonly origin: Origin;
  readonly region: string;
  readonly attempts: number;
}

/** One request under way. */
interface Running {
  readonly chosen: Chosen;
  /** Absent where nothing is ever asked but one origin: that one ends with the call. */
  readonly stop: AbortController | undefined;
  readonly ended: Promise<{ readonly running: Running; readonly asked: Asked }>;
}

/** One call: asks origin after origin until one answers. Nothing is passed on to the caller before. */
export class Attempt {
  readonly #deps: AttemptDeps;
  readonly #call: Call;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  readonly #tried = new Set<string>();
  readonly #running = new Set<Running>();
  #sent = 0;
  #hedged = false;
  #last: { readonly asked: Asked; readonly chosen: Chosen } | undefined;
  /** The last that an origin said, if any said anything. */
  #said: { readonly response: Response; readonly chosen: Chosen } | undefined;

  constructor(deps: AttemptDeps, call: Call, waitUntil: (work: Promise<unknown>) => void) {
    this.#deps = deps;
    this.#call = call;
    this.#waitUntil = waitUntil;
  }

  /** The first answer; else the last refusal of an origin, as it said it; else why nobody could be asked. */
  async run(): Promise<Answered | Fault> {
    this.#deps.allowance.called();
    try {
      for (;;) {
        if (this.#running.size === 0 && !(await this.#next())) return this.#outcome();
        const { running, asked } = await this.#event();
        this.#running.delete(running);
        this.#settle(running.chosen, asked);
        if (asked.verdict === "answered") return this.#outcome();
        // It may be one that was left while it said nothing.
        running.stop?.abort();
      }
    } finally {
      // Who was slower is not waited for. When the caller leaves, the runtime ends all of it.
      for (const { chosen, stop } of this.#running) {
        stop?.abort();
        chosen.leave();
      }
    }
  }

  #outcome(): Answered | Fault {
    if (this.#said === undefined) return fail(...this.#deps.seats.refusal(this.#wish())).fault;
    const { response, chosen } = this.#said;
    const { origin, region } = chosen.seat;
    return { response, origin, region, attempts: this.#sent };
  }

  #wish(): Wish {
    const { model, continent, avoid, deadlineMs } = this.#call;
    return { model, continent, avoid, deadlineMs, tried: this.#tried };
  }

  /** Sends one request more, if there is anybody to ask and budget for it. */
  async #next(): Promise<boolean> {
    const { seats, nowMs, sleep } = this.#deps;
    if (this.#sent >= attemptsMax || nowMs() >= this.#call.deadlineMs) return false;
    if (this.#sent > 0 && !this.#deps.allowance.hasRetry) return false;
    // To another origin at once; after that, with more time between.
    if (this.#sent > 1) await sleep(this.#backoffMs());
    const chosen = seats.choose(this.#wish()) ?? (await this.#revived());
    if (chosen === undefined) return false;
    if (this.#sent > 0) this.#deps.allowance.retried();
    this.#send(chosen);
    return true;
  }

  /**
   * Nobody is left who is known to be well: whoever was silent, to this call or before, is asked whether it lives. After a wait with
   * jitter, as every isolate that lost the same connection comes back now.
   */
  async #revived(): Promise<Chosen | undefined> {
    const { seats, lives, nowMs, sleep } = this.#deps;
    const asleep = seats.all.filter((seat) => {
      const silentNow = this.#sent === 1 && this.#last?.chosen.seat === seat && this.#last.asked.lost === true;
      return silentNow || (seat.life.kind !== "closed" && nowMs() - seat.lookedMs >= lookAgainMs);
    });
    if (asleep.length === 0) return undefined;
    if (this.#sent === 1) await sleep(this.#backoffMs());
    await Promise.all(
      asleep.map(async (seat) => {
        seat.lookedMs = nowMs();
        const alive = await lives(seat.origin);
        seat.looked(alive, nowMs());
        if (alive) this.#tried.delete(seat.origin.name);
      }),
    );
    return seats.choose(this.#wish());
  }

  #backoffMs(): number {
    const leftMs = this.#call.deadlineMs - this.#deps.nowMs();
    return Math.max(0, Math.min(leftMs, backoffMs(backoffRule, this.#sent, Math.random())));
  }

  #send(chosen: Chosen): void {
    const { ask, nowMs, seats, allowance } = this.#deps;
    const { origin } = chosen.seat;
    this.#sent++;
    this.#tried.add(origin.name);
    const stop = seats.all.length > 1 ? new AbortController() : undefined;
    const startedMs = nowMs();
    const asking = ask(origin, this.#call, stop?.signal);
    const ended = this.#watched(chosen, asking).then((asked) => {
      if (asked.verdict === "answered") {
        const tookMs = nowMs() - startedMs;
        if (asked.ranOut) chosen.seat.ranOut(chosen.model, tookMs, nowMs());
        else chosen.seat.answered(chosen.model, asked.streams ? "begun" : "answered", tookMs, nowMs());
        if (this.#call.hedged) allowance.took(this.#call.model, tookMs);
      }
      return { running, asked };
    });
    const running: Running = { chosen, stop, ended };
    this.#running.add(running);
  }

  /** What the origin says; or silence, when it says nothing for long, does not live, and somebody else can be asked. */
  async #watched({ seat }: Chosen, asking: Promise<Asked>): Promise<Asked> {
    const { seats, nowMs } = this.#deps;
    const leftMs = this.#call.deadlineMs - nowMs();
    const afterMs = Math.max(1, Math.min(lookAfterMs, leftMs / 3));
    for (;;) {
      const asked = await within(asking, afterMs);
      if (asked !== undefined) return asked;
      const alive = await Promise.race([asking.then(() => true), this.#lives(seat)]);
      if (!alive && seats.hasOther(this.#wish())) {
        return { verdict: "silent", retryAfterMs: 0, cause: "it does not say that it lives" };
      }
    }
  }

  /** Calls that wait for the same origin look at it by turns. */
  async #lives(seat: Seat): Promise<boolean> {
    const { lives, nowMs } = this.#deps;
    if (nowMs() - seat.lookedMs >= lookAgainMs) {
      seat.lookedMs = nowMs();
      seat.looked(await lives(seat.origin), nowMs());
    }
    return seat.life.kind === "closed";
  }

  /** What happens next: a request ends, or it is time for a second one. */
  async #event(): Promise<{ readonly running: Running; readonly asked: Asked }> {
    for (;;) {
      const ended = Promise.race([...this.#running].map((one) => one.ended));
      const hedgeMs = this.#hedgeAfterMs();
      if (hedgeMs === undefined) return await ended;
      const first = await within(ended, hedgeMs);
      if (first !== undefined) return first;
      this.#hedged = true;
      const { seats } = this.#deps;
      if (!this.#deps.allowance.hasHedge) continue;
      const second = seats.choose(this.#wish());
      if (second === undefined) continue;
      this.#deps.allowance.hedged();
      this.#send(second);
    }
  }

  #hedgeAfterMs(): number | undefined {
    const { seats } = this.#deps;
    if (!this.#call.hedged || this.#hedged || this.#sent > 1 || seats.all.length < 2) return undefined;
    return this.#deps.allowance.hedgeAfterMs(this.#call.model);
  }

  /** What the isolate learns of it. */
  #settle(chosen: Chosen, asked: Asked): void {
    const { nowMs, lives, say } = this.#deps;
    const { seat, model } = chosen;
    chosen.leave();
    this.#last = { asked, chosen };
    if (asked.response !== undefined) this.#said = { response: asked.response, chosen };
    if (asked.verdict === "answered") return;
    const { name } = seat.origin;
    say(`${name} ${this.#call.model}: ${asked.verdict}, ${asked.cause}`);
    if (asked.verdict === "elsewhere") {
      seat.heardMs = nowMs();
      model.breaker.settle("answered", nowMs());
      model.notBeforeMs = nowMs() + asked.retryAfterMs;
      return;
    }
    model.breaker.settle("failed", nowMs());
    // One connection that was lost says little: whoever lost it asks whether the origin lives, behind the call.
    if (asked.verdict === "silent" && seat.life.kind === "closed") {
      this.#waitUntil(lives(seat.origin).then((alive) => seat.looked(alive, nowMs())));
    }
  }
}

/** What the work gives, if it gives it within the time. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

/** How the answer says who gave it, for `Ledge-Origin`. */
export function originText({ origin, region, attempts }: Answered): string {
  return `${origin.name}; region=${region}; attempts=${attempts}`;
}
