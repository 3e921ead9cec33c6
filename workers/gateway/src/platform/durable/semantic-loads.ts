import type { SealingKey, SealingKeys } from "../../cache/semantic/ports.ts";

/** How long a call waits for an index that is being read back. A small one is there by then. */
const waitMs = 20;

interface Load {
  done: Promise<void>;
  ready: boolean;
}

/** By id of a key: whether all rows that it sealed are in memory. The first call that brings a key has them read. */
export class Loads {
  readonly #load: (key: SealingKey) => Promise<void>;
  readonly #ctx: Pick<DurableObjectState, "waitUntil">;
  readonly #loads = new Map<string, Load>();

  constructor(load: (key: SealingKey) => Promise<void>, ctx: Pick<DurableObjectState, "waitUntil">) {
    this.#load = load;
    this.#ctx = ctx;
  }

  /** Waits a moment for what the keys sealed to be in memory, and says whether it is. */
  async done(keys: SealingKeys): Promise<boolean> {
    const loads = keys.map((key) => this.#loading(key));
    if (loads.every(({ ready }) => ready)) return true;
    await Promise.race([Promise.all(loads.map(({ done }) => done)), scheduler.wait(waitMs)]);
    return loads.every(({ ready }) => ready);
  }

  #loading(key: SealingKey): Load {
    const known = this.#loads.get(key.id);
    if (known !== undefined) return known;
    const load: Load = { ready: false, done: this.#load(key) };
    this.#loads.set(key.id, load);
    load.done = load.done.then(
      () => {
        load.ready = true;
      },
      (cause) => {
        // The next call tries again.
        this.#loads.delete(key.id);
        console.error(JSON.stringify({ semanticIndex: "rows could not be read back", cause: String(cause) }));
      },
    );
    this.#ctx.waitUntil(load.done);
    return load;
  }
}
