import {
  type Breaker,
  type BreakerNews,
  type BreakerOutcome,
  type BreakerRule,
  breakerRule,
  closedAt,
  closedBreaker,
  hearBreaker,
  type Latency,
  measured,
  passBreaker,
  settleBreaker,
  unknownLatency,
} from "@ledge/policy/origins";
import type { Origin } from "../config.ts";
import { InFlight } from "./in-flight.ts";

/** A breaker changed between asked and left. */
export type OnTurn = (key: string, news: BreakerNews) => void;

/** A breaker that tells when it opens and closes. */
export class Switch {
  readonly #key: string;
  readonly #onTurn: OnTurn;
  readonly #rule: BreakerRule;
  #breaker: Breaker = closedBreaker;

  constructor(key: string, onTurn: OnTurn, rule = breakerRule) {
    this.#key = key;
    this.#onTurn = onTurn;
    this.#rule = rule;
  }

  get kind(): Breaker["kind"] {
    return this.#breaker.kind;
  }

  /** When a call may pass again; 0 for now. */
  get untilMs(): number {
    if (this.#breaker.kind === "closed") return 0;
    return this.#breaker.kind === "open" ? this.#breaker.untilMs : this.#breaker.trialUntilMs;
  }

  wouldPass(nowMs: number): boolean {
    return passBreaker(this.#rule, this.#breaker, nowMs)[0];
  }

  pass(nowMs: number): boolean {
    const [passes, next] = passBreaker(this.#rule, this.#breaker, nowMs);
    this.#breaker = next;
    return passes;
  }

  settle(outcome: BreakerOutcome, nowMs: number): void {
    const before = this.#breaker.kind;
    this.#breaker = settleBreaker(this.#rule, this.#breaker, outcome, nowMs, Math.random());
    if (this.#breaker.kind === before) return;
    const { kind } = this.#breaker;
    if (kind === "open") this.#onTurn(this.#key, { ...this.#breaker });
    else if (kind === "closed") this.#onTurn(this.#key, { kind });
  }

  /** What a call would have to find out is known. */
  revive(nowMs: number): void {
    if (this.#breaker.kind === "closed") return;
    this.#breaker = closedAt(nowMs);
    this.#onTurn(this.#key, { kind: "closed" });
  }

  hear(news: BreakerNews, nowMs: number): void {
    this.#breaker = hearBreaker(this.#breaker, news, nowMs);
  }
}

/** What an isolate knows of one model at one origin. */
export interface ModelSeat {
  readonly breaker: Switch;
  readonly inFlight: InFlight;
  latency: Latency;
  /** The origin said so with `Retry-After`. */
  notBeforeMs: number;
}

/** A model whose stream broke off is left alone there for so long, where another origin has it. */
const brokenRestMs = 2_000;
/** An engine hangs that takes so many times as long as it lately did, and at least so long; or so long, if it never answered. */
const hangsTimes = 4;
const hangsMsMin = 1_000;
const unknownHangsMs = 10_000;
/** Whether an origin lives is asked at least this often: who is back should have calls soon, and a look costs little. */
const lifeRule: BreakerRule = { ...breakerRule, openMsMax: 3_000 };
/** Models that an isolate keeps in mind for an origin; beyond, the one it has known longest is forgotten. */
const modelsMax = 1_000;

/** What an isolate knows of one origin. */
export class Seat {
  readonly origin: Origin;
  readonly region: string;
  /** Whether it lives: opened by a look at `/readyz` that nobody answered, closed by one that was answered. */
  readonly life: Switch;
  readonly inFlight = new InFlight();
  heardMs = 0;
  lookedMs = 0;
  readonly #models = new Map<string, ModelSeat>();
  readonly #onTurn: OnTurn;

  constructor(origin: Origin, region: string, onTurn: OnTurn) {
    this.origin = origin;
    this.region = region;
    this.#onTurn = onTurn;
    this.life = new Switch(origin.name, onTurn, lifeRule);
  }

  model(name: string): ModelSeat {
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    const breaker = new Switch(`${this.origin.name}|${name}`, this.#onTurn);
    const seat = { breaker, inFlight: new InFlight(), latency: unknownLatency, notBeforeMs: 0 };
    const [oldest] = this.#models.keys();
    if (this.#models.size >= modelsMax && oldest !== undefined) this.#models.delete(oldest);
    this.#models.set(name, seat);
    return seat;
  }

  /** Another isolate's news of this origin, or of a model of it. */
  hear(model: string | undefined, news: BreakerNews, nowMs: number): void {
    if (model === undefined) this.life.hear(news, nowMs);
    else this.model(model).breaker.hear(news, nowMs);
  }

  /** Somebody looked whether it lives. */
  looked(alive: boolean, nowMs: number): void {
    this.lookedMs = nowMs;
    // A look that was due, or that a call made because it could not wait for that: it is the trial either way.
    if (alive) this.life.revive(nowMs);
    else this.life.settle("dead", nowMs);
  }

  /** `begun`: by a stream, of which the first event has come. */
  answered(model: ModelSeat, how: "answered" | "begun", latencyMs: number, nowMs: number): void {
    this.heardMs = nowMs;
    model.latency = measured(model.latency, latencyMs, nowMs);
    model.breaker.settle(how, nowMs);
  }

  /**
   * A call's time was up while it waited here. Its caller may have given it too little; where it had far more than calls take here, the
   * engine hangs, behind an origin that lives.
   */
  ranOut(model: ModelSeat, waitedMs: number, nowMs: number): void {
    this.heardMs = nowMs;
    const { meanMs, atMs } = model.latency;
    const hangs = waitedMs >= (atMs === 0 ? unknownHangsMs : Math.max(hangsMsMin, hangsTimes * meanMs));
    model.breaker.settle(hangs ? "failed" : "answered", nowMs);
  }

  /** A stream of the model broke off. Who goes on with it elsewhere should not meet this origin again, if another can. */
  broke(name: string, nowMs: number): void {
    const model = this.model(name);
    model.breaker.settle("broke", nowMs);
    model.notBeforeMs = Math.max(model.notBeforeMs, nowMs + brokenRestMs);
  }
}
