import { readText } from "../call-server.ts";
import { type EngineLoad, readLoad } from "./engine-load.ts";

/** A load that is this old is looked for anew, milliseconds. */
const freshMs = 1_000;
/** A load that is older says nothing any more. */
const staleMs = 5_000;
/** Looking may take this long. */
const lookMsMax = 1_000;
const metricsBytesMax = 8_388_608;

export interface SeenLoad extends EngineLoad {
  /** When it was read. */
  readonly atMs: number;
}

/**
 * The load of a server by its metrics, looked at when it is asked for: never more often than once a second, however many ask, and
 * never known longer than five seconds. A server that does not say is asked as seldom.
 */
export class LoadWatch {
  readonly #url: string;
  readonly #nowMs: () => number;
  #seen: SeenLoad | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  /** `url` is where the metrics are. */
  constructor(url: string, nowMs: () => number) {
    this.#url = url;
    this.#nowMs = nowMs;
  }

  /** `undefined` while nothing is known. Takes a second at most; never fails. */
  async load(): Promise<SeenLoad | undefined> {
    if (this.#nowMs() - this.#lookedMs >= freshMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    }
    await this.#looking;
    return this.#seen !== undefined && this.#nowMs() - this.#seen.atMs <= staleMs ? this.#seen : undefined;
  }

  async #look(): Promise<void> {
    try {
      const response = await fetch(this.#url, { redirect: "manual", signal: AbortSignal.timeout(lookMsMax) });
      const text = await readText(response, metricsBytesMax);
      const load = response.status === 200 && text.ok ? readLoad(text.value) : undefined;
      if (load !== undefined) this.#seen = { ...load, atMs: this.#nowMs() };
    } catch {
      // What is known stays until it is stale.
    }
    this.#lookedMs = this.#nowMs();
  }
}
