import { type Fault, fail, type WakeAnswer } from "@ledge/contract";

export interface SleeperOptions {
  /** Wakes it, and says whether it answers now. Never throws. */
  rouse(): Promise<boolean>;
  /** How long that takes as a rule, milliseconds. */
  readonly usualMs: number;
  /** It is asleep when nothing was heard of it for so long; absent: it is awake until a call finds it asleep. */
  readonly idleMs?: number;
  readonly asleep?: true;
  readonly nowMs: () => number;
}

type State =
  | { readonly kind: "awake"; readonly heardMs: number }
  | { readonly kind: "asleep" }
  | { readonly kind: "failed"; readonly atMs: number }
  | { readonly kind: "waking"; readonly sinceMs: number };

/** Who waits asks at least this often: a failure that is older is nobody's. */
const newsMs = 10_000;

/** Whether an engine that is scaled down to nothing answers, and who wakes it: one, whoever asks. */
export class Sleeper {
  readonly #options: SleeperOptions;
  #state: State;

  constructor(options: SleeperOptions) {
    this.#options = options;
    // What was never heard of may be asleep.
    const asleep = options.asleep === true || options.idleMs !== undefined;
    this.#state = asleep ? { kind: "asleep" } : { kind: "awake", heardMs: options.nowMs() };
  }

  /** What a call is told while it is asleep; `undefined`: it may go on. */
  refusal(): Fault | undefined {
    return this.#now().kind === "awake" ? undefined : this.#fault();
  }

  /** It has answered. */
  heard(): void {
    if (this.#state.kind !== "waking") this.#state = { kind: "awake", heardMs: this.#options.nowMs() };
  }

  /** What a call is told that met this fault: that it is asleep, where that is how a sleeper looks. */
  faultOf(fault: Fault): Fault {
    if (!looksAsleep(fault)) return fault;
    if (this.#state.kind === "awake") this.#state = { kind: "asleep" };
    return { ...this.#fault(), ...(fault.cause === undefined ? {} : { cause: fault.cause }) };
  }

  wake(): WakeAnswer {
    const state = this.#now();
    if (state.kind === "awake") return { state: "awake", eta_ms: 0 };
    if (state.kind === "failed") {
      this.#state = { kind: "asleep" };
      const isNews = this.#options.nowMs() - state.atMs < newsMs;
      if (isNews) return { state: "failed", eta_ms: this.#options.usualMs };
    }
    if (state.kind !== "waking") this.#rouse();
    return { state: "waking", eta_ms: this.#leftMs() };
  }

  #rouse(): void {
    const { rouse, nowMs } = this.#options;
    this.#state = { kind: "waking", sinceMs: nowMs() };
    void rouse().then((awake) => {
      this.#state = awake ? { kind: "awake", heardMs: nowMs() } : { kind: "failed", atMs: nowMs() };
    });
  }

  #now(): State {
    const { idleMs, nowMs } = this.#options;
    const state = this.#state;
    if (state.kind === "awake" && idleMs !== undefined && nowMs() - state.heardMs >= idleMs) {
      this.#state = { kind: "asleep" };
    }
    return this.#state;
  }

  #fault(): Fault {
    const leftMs = this.#leftMs();
    return fail("model_not_ready", { retryAfterMs: leftMs, wakingMs: leftMs, detail: "It is asleep." }).fault;
  }

  /** A second at least, and as long again as it should have taken when it takes longer. */
  #leftMs(): number {
    const { usualMs, nowMs } = this.#options;
    const sinceMs = this.#state.kind === "waking" ? nowMs() - this.#state.sinceMs : 0;
    return Math.max(1_000, usualMs - (sinceMs % Math.max(1, usualMs)));
  }
}

/** Nobody listens, nobody knows the model, or there is no replica. One that is only busy is found awake at once. */
function looksAsleep({ code }: Fault): boolean {
  return code === "origin_unavailable" || code === "model_not_ready" || code === "overloaded";
}
