import { Holding, type MeterAnswer, type MeterAsk, meterStep, type Share } from "@ledge/policy";
import type { Events } from "./events.ts";
import { callMsMax, type SimulatedCall, type Subject, type WorldOptions } from "./limits-subject.ts";
import type { Random } from "./random.ts";

const soonMs = 50;

export interface IsolateDeps {
  readonly events: Events;
  readonly random: Random;
  readonly options: WorldOptions;
}

/** One subject in an isolate. */
interface Held {
  readonly holding: Holding;
  renewing: boolean;
  flushAtMs: number;
}

/** An isolate as the gateway's is (`admit/subject-meter.ts`), without its promises. */
export class SimulatedIsolate {
  readonly #deps: IsolateDeps;
  readonly #held = new Map<string, Held>();
  readonly #name: string;
  #leases = 0;
  #dead = false;

  constructor(deps: IsolateDeps) {
    this.#deps = deps;
    this.#name = String(deps.random());
  }

  /** Nothing that it holds is ever heard of again. */
  die(): void {
    this.#dead = true;
  }

  call(subject: Subject, call: SimulatedCall): void {
    const { events } = this.#deps;
    const held = this.#heldOf(subject);
    const share = held.holding.take(call.needs, this.#endMs(), events.nowMs);
    if (share === undefined) {
      this.#askFor(subject, held, call);
      return;
    }
    this.#begin(subject, held, call, share, events.nowMs);
    if (held.renewing || !held.holding.runsLow(call.needs, events.nowMs)) return;
    held.renewing = true;
    const ask = this.#ask(held, call, true);
    this.#send(subject, held, ask, () => {
      held.renewing = false;
    });
  }

  #askFor(subject: Subject, held: Held, call: SimulatedCall): void {
    const { events } = this.#deps;
    this.#send(subject, held, this.#ask(held, call, false), (share, grantedMs) => {
      const taken = share ?? held.holding.take(call.needs, this.#endMs(), events.nowMs);
      if (taken !== undefined) this.#begin(subject, held, call, taken, share === undefined ? events.nowMs : grantedMs);
    });
  }

  #ask(held: Held, { needs }: SimulatedCall, ahead: boolean): MeterAsk {
    const { events } = this.#deps;
    const lease = `${this.#name}:${++this.#leases}`;
    return held.holding.ask(lease, needs, this.#endMs(), events.nowMs, { ahead, sure: !ahead });
  }

  #begin(subject: Subject, held: Held, call: SimulatedCall, share: Share, atMs: number): void {
    const { events } = this.#deps;
    const lastsMs = call.lastsMs;
    subject.tally.admitted++;
    subject.admissions.push({ atMs, used: call.used, endMs: events.nowMs + lastsMs });
    const holds = held.holding.begin(share);
    this.#flushLater(subject, held);
    if (holds === undefined) return;
    events.in(lastsMs, () => {
      if (this.#dead) return;
      if (held.holding.settle(holds, call.used, events.nowMs)) this.#flushAt(subject, held, events.nowMs + soonMs);
      else this.#flushLater(subject, held);
    });
  }

  #flush(subject: Subject, held: Held): void {
    const { events } = this.#deps;
    const settlements = held.holding.settlements(events.nowMs);
    if (settlements.length === 0) return;
    const ask = { lease: "", call: {}, calls: 0, ahead: true, sure: false, holdMs: 0, settlements };
    this.#send(subject, held, ask, () => undefined);
  }

  #flushLater(subject: Subject, held: Held): void {
    const atMs = held.holding.leftUntil(false);
    if (atMs !== undefined) this.#flushAt(subject, held, atMs);
  }

  #flushAt(subject: Subject, held: Held, atMs: number): void {
    const { events } = this.#deps;
    if (held.flushAtMs <= atMs) return;
    held.flushAtMs = atMs;
    events.in(atMs - events.nowMs, () => {
      if (this.#dead) return;
      if (held.flushAtMs === atMs) held.flushAtMs = Number.POSITIVE_INFINITY;
      this.#flush(subject, held);
      this.#flushLater(subject, held);
    });
  }

  /** Sends once more what brought no answer. `then` is told of the share of the call that asked, and when the meter granted it. */
  #send(
    subject: Subject,
    held: Held,
    ask: MeterAsk,
    then: (share: Share | undefined, grantedMs: number) => void,
    again = true,
  ): void {
    const { events, options } = this.#deps;
    const askedMs = events.nowMs;
    const lost = () => {
      if (this.#dead) return;
      held.holding.untold(ask.settlements, events.nowMs);
      if (again)
        this.#send(subject, held, { ...ask, settlements: held.holding.settlements(events.nowMs) }, then, false);
      else {
        if (!ask.ahead) subject.tally.unreached++;
        then(undefined, events.nowMs);
      }
    };
    this.#carry(() => {
      const answer = this.#decide(subject, ask);
      const grantedMs = events.nowMs;
      const back = () => {
        if (this.#dead) return;
        held.holding.told(events.nowMs);
        then(held.holding.answered(ask, answer, askedMs, events.nowMs), grantedMs);
      };
      this.#carry(back, lost);
      if (this.#deps.random() < options.doubled)
        this.#carry(
          () => this.#decide(subject, ask),
          () => undefined,
        );
    }, lost);
  }

  #decide(subject: Subject, ask: MeterAsk): MeterAnswer {
    subject.tally.messages++;
    const [answer, after] = meterStep(
      subject.limits,
      subject.state,
      this.#deps.events.nowMs,
      ask,
      this.#deps.options.policy,
    );
    subject.state = after;
    return answer;
  }

  /** One message, one way. */
  #carry(arrives: () => void, lost: () => void): void {
    const { events, random, options } = this.#deps;
    const [least, most] = options.delayMs;
    events.in(Math.round(least + random() ** 3 * (most - least)), random() < options.loss ? lost : arrives);
  }

  #endMs(): number {
    return this.#deps.events.nowMs + callMsMax;
  }

  #heldOf({ name }: Subject): Held {
    const known = this.#held.get(name);
    if (known !== undefined) return known;
    const fresh: Held = {
      holding: new Holding(this.#deps.options.policy),
      renewing: false,
      flushAtMs: Number.POSITIVE_INFINITY,
    };
    this.#held.set(name, fresh);
    return fresh;
  }
}
