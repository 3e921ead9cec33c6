import { fail, ok, type PackageRef, type Result } from "@ledge/contract";
import type { Gate } from "../admit/gate.ts";
import type { BatchReport } from "../batch/figures.ts";
import type { Engine } from "./engine.ts";
import type { LoadWatch } from "./openai/load-watch.ts";

/** An engine and the door before it. */
export interface Seat {
  readonly engine: Engine;
  readonly gate: Gate;
  /** Where calls wait whose engine runs several at once; the door then lets everyone in. */
  readonly batcher?: BatchReport;
  /** Made of a package: it can be unloaded, and loaded again. */
  readonly isPackage?: true;
  /** Where the server that the engine is says how busy it is. */
  readonly watch?: LoadWatch;
}

/** Calls that the engine works on, and those that wait for it. */
export function loadOf({ gate, batcher }: Seat): { readonly running: number; readonly waiting: number } {
  const { running, waiting } = batcher ?? gate;
  return { running, waiting };
}

/** What an engine may be able to do. */
type Ability = "chat" | "complete" | "predict" | "infer";

/** A seat whose engine is able to. */
export interface Able<A extends Ability> extends Seat {
  readonly engine: Engine & Required<Pick<Engine, A>>;
}

/** Adds a package to the registry that it does not have. Faults: `model_not_found`, `model_not_ready`. */
export type Bring = (ref: PackageRef) => Promise<Result<true>>;

/** The engines by name and version. It fills while models load; a model that is still to come is known by name. */
export class Registry {
  readonly #seats = new Map<string, Seat>();
  readonly #pending = new Set<string>();
  /** Models that the operator unloaded. */
  readonly #retired = new Set<string>();
  /** What was fetched when it was asked for, by digest: its number is the edge's and may be another package's here. */
  readonly #brought = new Map<string, Seat>();

  #bring: Bring | undefined;

  /** How packages come that are asked for and not here. */
  bringBy(bring: Bring | undefined): void {
    this.#bring = bring;
  }

  /** Until {@link known} it is not known which models there will be: none is missing yet. */
  awaitNames(): void {
    this.#pending.add(names);
  }

  known(): void {
    this.#pending.delete(names);
  }

  expect(name: string, version: string): void {
    this.#pending.add(`${name}@${version}`);
  }

  /** Takes a model's packages out, so that no call finds them any more; until it is loaded again, it is known and not ready. */
  retire(model: string): readonly Seat[] {
    const retired = this.seats().filter(({ engine, isPackage }) => isPackage && engine.model.name === model);
    if (retired.length > 0) this.#retired.add(model);
    for (const seats of [this.#seats, this.#brought]) {
      for (const [key, seat] of seats) if (retired.includes(seat)) seats.delete(key);
    }
    return retired;
  }

  /** A retired model may be loaded, and brought, again. */
  readmit(model: string): void {
    this.#retired.delete(model);
  }

  add(seat: Seat): void {
    const { name, version } = seat.engine.model;
    this.#seats.set(`${name}@${version}`, seat);
    this.#pending.delete(`${name}@${version}`);
  }

  addBrought(digest: string, seat: Seat): void {
    this.#brought.set(digest, seat);
  }

  seats(): Seat[] {
    return [...this.#seats.values(), ...this.#brought.values()];
  }

  /** `name@version` of every model that is not loaded and run once yet; `*` while it is not known which there are. */
  pending(): string[] {
    return [...this.#pending];
  }

  /**
   * Finds `name@version`, or for a bare name its highest version. Fails with `model_not_found`, `model_not_ready`, or
   * `unsupported_task` when the model does something else.
   */
  find<A extends Ability>(reference: string, ability: A): Result<Able<A>> {
    const seat = this.#seats.get(reference) ?? this.#newest(reference);
    return seat === undefined ? this.#missing(reference) : able(seat, ability);
  }

  /**
   * Finds a package by its content: versions are counted by who registers them, so a number here may mean another package there.
   * Fails as {@link find}.
   */
  findPackage<A extends Ability>({ model, version, digest }: PackageRef, ability: A): Result<Able<A>> {
    const reference = `${model}@${version}`;
    const numbered = this.#seats.get(reference);
    // A scripted model has no content: its number has to do.
    const scripted = numbered?.engine.model.digest === undefined ? numbered : undefined;
    const same = this.seats().find(({ engine }) => engine.model.name === model && engine.model.digest === digest);
    const seat = same ?? scripted;
    if (seat !== undefined) return able(seat, ability);
    if (numbered === undefined) return this.#missing(reference);
    return fail("model_not_found", { cause: `${reference} is another package here than ${digest}.` });
  }

  /** As {@link findPackage}; what is not here is brought first, when there is a way to. */
  async findOrBring<A extends Ability>(ref: PackageRef, ability: A): Promise<Result<Able<A>>> {
    const found = this.findPackage(ref, ability);
    if (found.ok || found.fault.code !== "model_not_found" || this.#bring === undefined) return found;
    const brought = await this.#bring(ref);
    return brought.ok ? this.findPackage(ref, ability) : brought;
  }

  /** As {@link find}, whatever its engine is able to. */
  seatOf(reference: string): Result<Seat> {
    const seat = this.#seats.get(reference) ?? this.#newest(reference);
    return seat === undefined ? this.#missing(reference) : ok(seat);
  }

  #missing(reference: string): Result<never> {
    if (this.#retired.has(reference.split("@", 1)[0] ?? ""))
      return fail("model_not_ready", { detail: "It is unloaded." });
    const loading = this.pending().some(
      (name) => name === names || name === reference || name.startsWith(`${reference}@`),
    );
    return loading ? fail("model_not_ready", { retryAfterMs: 1000 }) : fail("model_not_found");
  }

  /** Of each name the highest version, in the order they were added. */
  newest(): Seat[] {
    const names = new Set([...this.#seats.values()].map(({ engine }) => engine.model.name));
    return [...names].flatMap((name) => this.#newest(name) ?? []);
  }

  #newest(name: string): Seat | undefined {
    return [...this.#seats.values()]
      .filter((seat) => seat.engine.model.name === name)
      .sort((a, b) => Number(b.engine.model.version) - Number(a.engine.model.version))[0];
  }
}

/** Stands among what is pending for the models whose names are not known yet. */
const names = "*";

function able<A extends Ability>(seat: Seat, ability: A): Result<Able<A>> {
  if (isAble(seat, ability)) return ok(seat);
  return fail("unsupported_task", { detail: `The model's task is ${seat.engine.model.task}.` });
}

function isAble<A extends Ability>(seat: Seat, ability: A): seat is Able<A> {
  return seat.engine[ability] !== undefined;
}
