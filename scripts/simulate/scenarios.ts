import { type Canary, latencyBoundsMs } from "@ledge/contract";
import { planRollout } from "@ledge/policy";
import type { Caller, Rates, World } from "./canary-world.ts";
import type { Random } from "./random.ts";

/** What both arms do per call when nothing is wrong. One answer in twenty is rated. */
export const usual: Rates = { error: 0.01, slow: 0.05, unsure: 0.1, disliked: 0.2, rated: 0.05 };

/** A canary as it is started when the request says nothing but the version and what is slow. */
export function defaultCanary(id: string): Canary {
  const request = { kind: "canary", version: "2", step_seconds_min: 0 } as const;
  const started = planRollout(request, { id, stable: "1", nowMs: 0, slowMs: latencyBoundsMs[20] ?? 50 });
  if (!started.ok || started.value.kind !== "canary") throw new Error("the default canary does not start");
  return started.value;
}

export interface Scenario {
  readonly name: string;
  /** The world of the run with this number; `random` may shape it. */
  readonly world: (run: number, random: Random) => World;
}

const looks = { callsPerLook: 2_000, looksMax: 1_000 };

function scenario(name: string, candidate: Rates, more: Partial<World> = {}): Scenario {
  const world = (run: number) => ({ canary: defaultCanary(`run-${run}`), stable: usual, candidate, ...looks, ...more });
  return { name, world };
}

/** The candidate keeps within what is tolerated: every rollback is a false alarm. */
export const nothingWrong: readonly Scenario[] = [
  scenario("as good as the stable version", usual),
  scenario("half the tolerance worse in everything", {
    error: 0.015,
    slow: 0.075,
    unsure: 0.125,
    disliked: 0.225,
    rated: 0.05,
  }),
  scenario("exactly as much worse as tolerated, in everything", {
    error: 0.02,
    slow: 0.1,
    unsure: 0.15,
    disliked: 0.25,
    rated: 0.05,
  }),
  {
    name: "as good, while the rates of both swing between nothing and twice as much",
    world: (run, random) => {
      const phase = random() * 2 * Math.PI;
      const drift = (look: number) => 1 + Math.sin(look / 20 + phase);
      return { canary: defaultCanary(`run-${run}`), stable: usual, candidate: usual, ...looks, drift };
    },
  },
];

/** The candidate is worse than tolerated in one thing, by so many points of a hundred. */
export const somethingWrong: readonly Scenario[] = (["error", "slow", "unsure", "disliked"] as const).flatMap(
  (name) => {
    const tolerated = usual[name] + (name === "error" ? 0.01 : 0.05);
    return [1, 2, 5, 10].map((points) =>
      scenario(`${name} +${points}`, { ...usual, [name]: tolerated + points / 100 }),
    );
  },
);

/** Calls that are not independent: few callers of very different size, who differ in how hard their inputs are. */
export const fewCallers: readonly Scenario[] = [10_000, 1_000, 100].map((callers) => ({
  name: `${callers.toLocaleString("en")} callers`,
  world: (run, random) => ({
    canary: defaultCanary(`run-${run}`),
    stable: usual,
    candidate: usual,
    callsPerLook: 20_000,
    looksMax: 50,
    callers: unequalCallers(`run-${run}`, callers, random),
  }),
}));

/** The k-th largest caller makes 1/k of the calls of the largest (Zipf); difficulties are log-normal (σ = ½) with mean 1. */
function unequalCallers(run: string, callers: number, random: Random): readonly Caller[] {
  const drawn = Array.from({ length: callers }, (_, rank) => ({
    key: `${run}-${rank}`,
    share: 1 / (rank + 1),
    difficulty: Math.exp(0.5 * normal(random)),
  }));
  const shares = drawn.reduce((sum, { share }) => sum + share, 0);
  const mean = drawn.reduce((sum, { share, difficulty }) => sum + share * difficulty, 0) / shares;
  return drawn.map(({ key, share, difficulty }) => ({ key, share: share / shares, difficulty: difficulty / mean }));
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
