import { fail, ok, type Result, type Task } from "@ledge/contract";
import type { Gate } from "../admit/gate.ts";
import type { Engine } from "./engine.ts";

/** An engine and the door before it. */
export interface Seat {
  readonly engine: Engine;
  readonly gate: Gate;
}

/** The engines by name and version. It fills while models load; a model that is still to come is known by name. */
export class Registry {
  readonly #seats = new Map<string, Seat>();
  readonly #pending = new Set<string>();

  expect(name: string, version: string): void {
    this.#pending.add(`${name}@${version}`);
  }

  add(seat: Seat): void {
    const { name, version } = seat.engine.model;
    this.#seats.set(`${name}@${version}`, seat);
    this.#pending.delete(`${name}@${version}`);
  }

  seats(): Seat[] {
    return [...this.#seats.values()];
  }

  /** `name@version` of every model that is not loaded and run once yet. */
  pending(): string[] {
    return [...this.#pending];
  }

  /**
   * Finds `name@version`, or for a bare name its highest version. Fails with `model_not_found`, `model_not_ready`, or
   * `unsupported_task` when the model does something else.
   */
  find(reference: string, task: Task): Result<Seat> {
    const seat = this.#seats.get(reference) ?? this.#newest(reference);
    if (seat === undefined) {
      const loading = this.pending().some((name) => name === reference || name.startsWith(`${reference}@`));
      return loading ? fail("model_not_ready", { retryAfterMs: 1000 }) : fail("model_not_found");
    }
    if (seat.engine.model.task === task) return ok(seat);
    return fail("unsupported_task", { detail: `The model's task is ${seat.engine.model.task}.` });
  }

  #newest(name: string): Seat | undefined {
    return this.seats()
      .filter((seat) => seat.engine.model.name === name)
      .sort((a, b) => Number(b.engine.model.version) - Number(a.engine.model.version))[0];
  }
}
