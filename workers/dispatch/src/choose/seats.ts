import { type BreakerNews, cheaperOfTwo, nearestRegions } from "@ledge/policy/origins";
import type { Config } from "../config.ts";
import { type ModelSeat, type OnTurn, Seat } from "./seat.ts";

/** An origin that is to be asked, with its place taken. */
export interface Chosen {
  readonly seat: Seat;
  readonly model: ModelSeat;
  /** Gives the place back; twice counts once. */
  leave(): void;
}

export interface Wish {
  readonly model: string;
  readonly continent: string | undefined;
  /** The origin that is asked only when no other can be. */
  readonly avoid?: string | undefined;
  readonly deadlineMs: number;
  /** Names of the origins that this call has asked. */
  readonly tried: ReadonlySet<string>;
}

/** Why nobody can be asked now, and when that may change, milliseconds from now. */
export type Refusal = readonly [code: "overloaded" | "origin_unavailable", { readonly retryAfterMs: number }];

const lookIdleAfterMs = 10_000;
const retryAfterMsMin = 1_000;

/** The origins, and who of them is asked next. One an isolate. */
export class Seats {
  readonly all: readonly Seat[];
  readonly #regions: readonly { readonly name: string; readonly continents?: readonly string[] | undefined }[];
  readonly #bounds: Pick<Config, "originCallsMax" | "modelCallsMax">;
  readonly #nowMs: () => number;

  constructor(config: Pick<Config, "pools" | "originCallsMax" | "modelCallsMax">, onTurn: OnTurn, nowMs: () => number) {
    this.all = config.pools.flatMap(({ name, origins }) => origins.map((origin) => new Seat(origin, name, onTurn)));
    this.#regions = config.pools;
    this.#bounds = config;
    this.#nowMs = nowMs;
  }

  /**
   * The best that may be asked and was not yet; its place is taken. By region first, then by load and latency. One that said when
   * to come back is asked before that only when there is no other, and so is one that the call would avoid; and where a model is left everywhere, whoever lives is asked
   * once: what an engine says of its failure is worth more than a refusal of ours.
   */
  choose(wish: Wish): Chosen | undefined {
    const nowMs = this.#nowMs();
    const free = this.all.filter((seat) => this.#isFree(seat, wish, nowMs));
    const asked = free.filter((seat) => seat.model(wish.model).breaker.wouldPass(nowMs));
    const awaited = asked.filter((seat) => {
      return seat.origin.name !== wish.avoid && seat.model(wish.model).notBeforeMs <= nowMs;
    });
    const last = wish.tried.size === 0 ? free : [];
    return this.#best(awaited, wish, nowMs) ?? this.#best(asked, wish, nowMs) ?? this.#best(last, wish, nowMs);
  }

  #best(seats: readonly Seat[], wish: Wish, nowMs: number): Chosen | undefined {
    if (seats.length === 0) return undefined;
    for (const { name } of nearestRegions(this.#regions, wish.continent)) {
      const candidates = seats
        .filter((seat) => seat.region === name)
        .map((seat) => {
          const { latency } = seat.model(wish.model);
          const inFlight = seat.inFlight.count(nowMs, this.#bounds.originCallsMax);
          return { seat, latency, inFlight, weight: seat.origin.weight };
        });
      const best = cheaperOfTwo(candidates, nowMs, [Math.random(), Math.random()]);
      if (best !== undefined) return this.#take(best.seat, wish, nowMs);
    }
    return undefined;
  }

  /** Whether anybody else could be asked. */
  hasOther(wish: Wish): boolean {
    const nowMs = this.#nowMs();
    return this.all.some((seat) => this.#isFree(seat, wish, nowMs) && seat.model(wish.model).breaker.wouldPass(nowMs));
  }

  /** Of those who could not be asked: why, and when to come back. */
  refusal({ model }: Wish): Refusal {
    const nowMs = this.#nowMs();
    const full = this.all.some((seat) => seat.life.kind === "closed" && this.#isFull(seat, seat.model(model), nowMs));
    const freeMs = this.all.map((seat) => {
      const { breaker, notBeforeMs } = seat.model(model);
      return Math.max(seat.life.untilMs, breaker.untilMs, notBeforeMs) - nowMs;
    });
    const retryAfterMs = Math.max(retryAfterMsMin, Math.min(...freeMs));
    return [full ? "overloaded" : "origin_unavailable", { retryAfterMs }];
  }

  /** One that a look is due at: it may live again, or nothing was heard of it for long. */
  due(): Seat | undefined {
    const nowMs = this.#nowMs();
    return this.all.find((seat) => {
      if (seat.life.kind !== "closed") return seat.life.pass(nowMs);
      const idle = this.all.length > 1 && nowMs - Math.max(seat.heardMs, seat.lookedMs) >= lookIdleAfterMs;
      if (idle) seat.lookedMs = nowMs;
      return idle;
    });
  }

  /** The model has woken there: it may be asked before the time that was said. */
  awake(name: string, model: string): void {
    const seat = this.all.find(({ origin }) => origin.name === name);
    if (seat !== undefined) seat.model(model).notBeforeMs = 0;
  }

  /** Another isolate's news; of an origin that is none of ours, nothing. */
  hear(key: string, news: BreakerNews): void {
    const [name, ...model] = key.split("|");
    const seat = this.all.find(({ origin }) => origin.name === name);
    seat?.hear(model.length === 0 ? undefined : model.join("|"), news, this.#nowMs());
  }

  #isFree(seat: Seat, { model: name, tried }: Wish, nowMs: number): boolean {
    if (tried.has(seat.origin.name) || seat.origin.weight <= 0 || seat.life.kind !== "closed") return false;
    return !this.#isFull(seat, seat.model(name), nowMs);
  }

  #isFull(seat: Seat, model: ModelSeat, nowMs: number): boolean {
    const { originCallsMax, modelCallsMax } = this.#bounds;
    return (
      seat.inFlight.count(nowMs, originCallsMax) >= originCallsMax ||
      model.inFlight.count(nowMs, modelCallsMax) >= modelCallsMax
    );
  }

  #take(seat: Seat, { model: name, deadlineMs }: Wish, nowMs: number): Chosen {
    const model = seat.model(name);
    model.breaker.pass(nowMs);
    const [atOrigin, atModel] = [seat.inFlight.begin(deadlineMs), model.inFlight.begin(deadlineMs)];
    return {
      seat,
      model,
      leave: () => {
        seat.inFlight.end(atOrigin);
        model.inFlight.end(atModel);
      },
    };
  }
}
