import { fail, ok, type Result } from "@ledge/contract";
import type { Config } from "../config.ts";
import type { Loader } from "./load-engines.ts";
import { readVersions, StartError } from "./model-package.ts";
import type { Registry, Seat } from "./registry.ts";

/** Loads and unloads packages while the origin runs. */
export class Repository {
  readonly #config: Pick<Config, "modelsDir">;
  readonly #registry: Registry;
  readonly #loader: Loader;

  constructor(config: Pick<Config, "modelsDir">, registry: Registry, loader: Loader) {
    this.#config = config;
    this.#registry = registry;
    this.#loader = loader;
  }

  /**
   * Reads every version of a model that lies in `MODELS_DIR` anew; those that run until then run on until the new ones do. A model that
   * lies nowhere here is only readmitted: the next call brings it. Faults: `model_not_ready`, with the reason as its cause.
   */
  async load(model: string): Promise<Result<true>> {
    try {
      const seats: Seat[] = [];
      for (const pack of await readVersions(this.#config.modelsDir, model)) {
        seats.push(await this.#loader.seatOf(pack));
      }
      const former = seats.length === 0 ? [] : this.#registry.retire(model);
      this.#registry.readmit(model);
      for (const seat of seats) this.#registry.add(seat);
      for (const seat of former) void release(seat);
      return ok(true);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      return fail("model_not_ready", { cause: error.message });
    }
  }

  /** From now on no call finds the model; those that have found it are answered, then its memory is free. Faults: `model_not_found`. */
  unload(model: string): Result<true> {
    const retired = this.#registry.retire(model);
    if (retired.length === 0) return fail("model_not_found", { detail: "No package of this name is loaded." });
    for (const seat of retired) void release(seat);
    return ok(true);
  }
}

/** A call that has found a seat is at its door well within this time, milliseconds. */
const graceMs = 1_000;

/** Closes an engine when it is done: whoever found its seat before it was taken out may still be on the way to its door. */
async function release({ engine, gate }: Seat): Promise<void> {
  do {
    await gate.whenIdle();
    await new Promise((resolve) => setTimeout(resolve, graceMs).unref());
  } while (gate.running > 0);
  await engine.close();
}
