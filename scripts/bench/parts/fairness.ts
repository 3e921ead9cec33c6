import { type FairnessScenario, simulateFairness } from "../../simulate/fairness.ts";
import type { Aim, Outcome } from "../outcome.ts";

/**
 * What one tenant's burst does to three others, who ask for a fifth of a tier each: their worst p99 over their p99 alone. On
 * virtual time, by the rule that runs, so that the numbers are the same on every machine.
 */

const usual = { waitingMax: 256, callMs: 100, others: [0.2, 0.2, 0.2], burst: 10, calls: 6_000, seed: 1 };
const p99Max = 1.5;

type Tier = Pick<FairnessScenario, "slots" | "batchRowsMax" | "runMs"> & { readonly callMs?: number };

/** As the origin answers, one call a slot; and as a model at the edge does, in batches, one run at a time. */
const tiers: readonly (readonly [name: string, tier: Tier])[] = [
  ["4 calls at once", { slots: 4 }],
  ["16 calls at once", { slots: 16 }],
  ["64 calls at once", { slots: 64 }],
  ["one run of 32 at once that costs hardly more than of one", { slots: 1, batchRowsMax: 32, runMs: 100, callMs: 1 }],
  ["one run of 32 at once that costs as much a row", { slots: 1, batchRowsMax: 32 }],
  ["one run of 8 at once that costs as much a row", { slots: 1, batchRowsMax: 8 }],
];

export function measureFairness(): Outcome {
  const aims = tiers.flatMap(([name, tier]) => [aimOf(name, tier, true), aimOf(name, tier, false)]);
  return { rows: [], aims, facts: [], rounds: [] };
}

function aimOf(tierName: string, tier: Tier, fair: boolean): Aim {
  const alone = simulateFairness({ ...usual, ...tier, fair, burst: 0 });
  const beside = simulateFairness({ ...usual, ...tier, fair });
  const names = Object.keys(alone);
  const worst = Math.max(...names.map((name) => (beside[name]?.p99Ms ?? 0) / (alone[name]?.p99Ms ?? 0)));
  const refused = names.reduce((sum, name) => sum + (beside[name]?.refused ?? 0), 0);
  const how = fair ? "by shares" : "first come, first served";
  const name = `p99 of others under a burst of 10 times a tier of ${tierName} ÷ alone, ${how}`;
  const reached = `${worst.toFixed(2)}, ${refused} of their calls refused`;
  return fair ? { name, reached, aim: `≤ ${p99Max}`, met: worst <= p99Max } : { name, reached, aim: "–" };
}
