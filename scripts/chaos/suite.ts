import { setTimeout } from "node:timers/promises";
import { type Random, randomOf } from "../simulate/random.ts";
import { type Call, startLoad } from "./callers.ts";
import { type Begun, begin, type FaultDeps, type FaultName, suits } from "./faults.ts";
import { amplificationOf, dealt, type Figures, failoverMsOf, recoveryMsOf, tallyOf } from "./figures.ts";
import type { Target, World } from "./world.ts";

export interface Case {
  readonly fault: FaultName;
  readonly target: Target;
}

export interface Rhythm {
  readonly calmMs: number;
  readonly faultMs: number;
  /** Everything must be well for so long to count as recovered. */
  readonly wellMs: number;
  /** Who has not recovered by then has not recovered. */
  readonly recoverMsMax: number;
}

export interface SuiteOptions {
  readonly world: World;
  readonly seed: number;
  readonly callers: number;
  readonly floodCallers: number;
  readonly rhythm: Rhythm;
  /** One after the other. */
  readonly cases: readonly Case[];
  /** And then so long at random: faults of the cases, at most two at once. */
  readonly randomMs: number;
  readonly say: (line: string) => void;
  /** Ends the run early, with what there is. */
  readonly signal: AbortSignal;
}

const thinkMsMax = 150;
const lookMs = 50;

/** Runs the faults under load. Everything that failed for no honest reason is told as it comes. */
export async function runSuite(options: SuiteOptions): Promise<readonly Figures[]> {
  const { world, seed, callers, say } = options;
  const random = randomOf(seed);
  const run = new Run(options, random);
  const load = startLoad({ ...world.edge, callers, thinkMsMax, random, next: world.next, ended: run.take });
  const all: Figures[] = [];
  try {
    for (const one of options.cases) {
      if (options.signal.aborted) break;
      if (!suits(one.fault, one.target, world)) continue;
      all.push(await run.inTurn(one));
      say(lineOf(all.at(-1)));
    }
    if (options.randomMs > 0 && !options.signal.aborted) all.push(await run.atRandom(options.randomMs));
  } finally {
    await load.stop();
  }
  return all;
}

class Run {
  readonly #options: SuiteOptions;
  readonly #deps: FaultDeps;
  readonly #random: Random;
  #calls: Call[] = [];

  constructor(options: SuiteOptions, random: Random) {
    this.#options = options;
    this.#random = random;
    this.#deps = { world: options.world, random, floodCallers: options.floodCallers, ended: this.take };
  }

  readonly take = (call: Call): void => {
    this.#calls.push(call);
    if (call.verdict === "right" || call.verdict === "told") return;
    this.#options.say(
      `${call.verdict.toUpperCase()}: ${call.kind} ${call.id} by ${call.origin ?? "nobody"}: ${call.got}`,
    );
  };

  async inTurn({ fault, target }: Case): Promise<Figures> {
    const { rhythm, signal } = this.#options;
    await pause(rhythm.calmMs);
    const beganMs = performance.now();
    const begun = await begin(fault, target, this.#deps);
    await pause(rhythm.faultMs, signal);
    await begun.end();
    return await this.#watch(`${fault} ${target}`, { beganMs, endedMs: performance.now() }, backOf(target));
  }

  /** Faults of all kinds, as the seed has it, each for a while, sometimes two at once. */
  async atRandom(ms: number): Promise<Figures> {
    const { cases, say, world, rhythm, signal } = this.#options;
    const possible = cases.filter(({ fault, target }) => suits(fault, target, world));
    await pause(rhythm.calmMs);
    const beganMs = performance.now();
    const busy = new Map<Target, Promise<void>>();
    while (performance.now() < beganMs + ms && !signal.aborted) {
      const { fault, target } = possible[Math.floor(this.#random() * possible.length)] ?? {
        fault: "kill",
        target: "near-1",
      };
      const [lastsMs, restsMs] = [1_000 + this.#random() * rhythm.faultMs, this.#random() * rhythm.calmMs];
      if (busy.has(target)) continue;
      say(`at random: ${fault} ${target} for ${(lastsMs / 1_000).toFixed(1)} s`);
      const begun = await begin(fault, target, this.#deps);
      const over = this.#lasting(begun, lastsMs).finally(() => busy.delete(target));
      busy.set(target, over);
      // Now and then the next one does not wait for this one.
      if (busy.size > 1 || this.#random() < 2 / 3) await Promise.all(busy.values());
      await pause(restsMs, signal);
    }
    await Promise.all(busy.values());
    return await this.#watch("at random", { beganMs, endedMs: performance.now() }, backOf("near-1"));
  }

  async #lasting(begun: Begun, ms: number): Promise<void> {
    await pause(ms, this.#options.signal);
    await begun.end();
  }

  /** Waits until everything has been well for a while, or should have been. */
  async #watch(
    name: string,
    { beganMs, endedMs }: { readonly beganMs: number; readonly endedMs: number },
    isBack: (call: Call) => boolean,
  ): Promise<Figures> {
    const { wellMs, recoverMsMax } = this.#options.rhythm;
    for (;;) {
      await pause(lookMs);
      const nowMs = performance.now();
      const spell = { beganMs, endedMs, watchedMs: nowMs };
      const recoveryMs = recoveryMsOf(this.#calls, spell, isBack);
      if (nowMs >= endedMs + recoveryMs + wellMs) return this.#figures(name, spell, recoveryMs);
      if (nowMs >= endedMs + recoverMsMax) return this.#figures(name, spell, Number.NaN);
    }
  }

  #figures(name: string, spell: { beganMs: number; endedMs: number; watchedMs: number }, recoveryMs: number): Figures {
    const calls = this.#calls;
    // A call that is still under way counts for the next fault, as its requests do.
    this.#calls = [];
    const { calm, during, after } = dealt(calls, spell);
    return {
      name,
      calm: tallyOf(calm),
      during: tallyOf(during),
      after: tallyOf(after),
      failoverMs: failoverMsOf(calls, spell),
      recoveryMs,
      sent: amplificationOf(calls, this.#options.world.requests.taken(calls)),
    };
  }
}

/** Ends early when the signal fires. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

/** By whose answer it is known that what failed takes calls again. */
function backOf(target: Target): (call: Call) => boolean {
  switch (target) {
    case "near-1":
      return ({ origin }) => origin === "near-1";
    case "engine":
    case "near-engine":
      return ({ kind }) => kind === "tensors";
    // The farther origin is asked only while the nearer one fails, and the edge is all of it.
    default:
      return () => true;
  }
}

function lineOf(figures: Figures | undefined): string {
  if (figures === undefined) return "";
  const { name, during, after, failoverMs, recoveryMs } = figures;
  const told = Object.entries({ ...during.told }).map(([code, count]) => `${count} ${code}`);
  return `${name}: ${during.right} of ${during.calls} right, told ${told.join(", ") || "none"}; survived after ${Math.round(failoverMs)} ms, well ${Math.round(recoveryMs)} ms after its end (${after.calls - after.right} failed)`;
}
