import { type FairnessOrder, type FairnessScenario, simulateFairness } from "../../simulate/fairness.ts";
import type { Aim, Outcome } from "../outcome.ts";
import { spreadOf } from "../statistics.ts";

/**
 * What one tenant's burst does to three others, who ask for a fifth of a tier each: their worst p99 over their p99 alone. On
 * virtual time, by the rule that runs, so that the numbers are the same on every machine.
 */

const usual = { waitingMax: 256, callMs: 100, others: [0.2, 0.2, 0.2], burst: 10, calls: 6_000 };
const seeds = [1, 2, 3];
const p99Max = 1.5;

type Tier = Pick<FairnessScenario, "slots" | "batchRowsMax" | "runMs"> & { readonly callMs?: number };

/**
 * As the origin answers, one call a slot; and as a model at the edge does, in batches, one run at a time: one whose run costs hardly more
 * than a row, `intent` (58 µs a run and 15 a row), and a transformer (3 ms a run and 12 a row of 16 tokens).
 */
const tiers: readonly (readonly [name: string, tier: Tier])[] = [
  ["2 calls at once", { slots: 2 }],
  ["4 calls at once", { slots: 4 }],
  ["8 calls at once", { slots: 8 }],
  ["16 calls at once", { slots: 16 }],
  ["64 calls at once", { slots: 64 }],
  ["one run of 32 that costs hardly more than of one", { slots: 1, batchRowsMax: 32, runMs: 100, callMs: 1 }],
  ["one run of 32 as of `intent`", { slots: 1, batchRowsMax: 32, runMs: 0.058, callMs: 0.015 }],
  ["one run of 4 as of a transformer", { slots: 1, batchRowsMax: 4, runMs: 3, callMs: 12 }],
  ["one run of 32 as of a transformer", { slots: 1, batchRowsMax: 32, runMs: 3, callMs: 12 }],
];

export function measureFairness(): Outcome {
  const aims = tiers.flatMap(([name, tier]) =>
    (["shares", "others-first", "first-come"] as const).map((order) => aimOf(name, tier, order)),
  );
  return { rows: [], aims, facts: [], rounds: [] };
}

const orders: Readonly<Record<FairnessOrder, string>> = {
  shares: "by shares",
  "others-first": "the others always first",
  "first-come": "first come, first served",
};

function aimOf(tierName: string, tier: Tier, order: FairnessOrder): Aim {
  const harms = seeds.map((seed) => harmOf({ ...usual, ...tier, order, seed }));
  const p50 = spreadOf(harms.map((harm) => harm.p50)).median;
  const p99 = spreadOf(harms.map((harm) => harm.p99));
  const refused = harms.reduce((sum, harm) => sum + harm.refused, 0);
  const name = `p99 of others under a burst of 10 times a tier of ${tierName} ÷ alone, ${orders[order]}`;
  const range = `${p99.min.toFixed(2)} to ${p99.max.toFixed(2)}`;
  const reached = `${p99.median.toFixed(2)} (${range}; p50 ${p50.toFixed(2)}), ${refused} of their calls refused`;
  return order === "shares"
    ? { name, reached, aim: `≤ ${p99Max}`, met: p99.median <= p99Max }
    : { name, reached, aim: "–" };
}

/** The worst of the others: what their calls take beside the burst, over what they take alone. */
function harmOf(scenario: FairnessScenario): { readonly p50: number; readonly p99: number; readonly refused: number } {
  const alone = simulateFairness({ ...scenario, burst: 0 });
  const beside = simulateFairness(scenario);
  const names = Object.keys(alone);
  const worst = (percentile: "p50Ms" | "p99Ms") =>
    Math.max(...names.map((name) => (beside[name]?.[percentile] ?? 0) / (alone[name]?.[percentile] ?? 0)));
  const refused = names.reduce((sum, name) => sum + (beside[name]?.refused ?? 0), 0);
  return { p50: worst("p50Ms"), p99: worst("p99Ms"), refused };
}
