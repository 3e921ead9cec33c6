import { type FairnessScenario, simulateFairness } from "../../simulate/fairness.ts";
import type { Aim, Outcome } from "../outcome.ts";

/**
 * What one tenant's burst does to three others, who ask for a fifth of a tier each: their worst p99 over their p99 alone. On
 * virtual time, by the rule that runs, so that the numbers are the same on every machine.
 */

const usual: FairnessScenario = {
  slots: 64,
  waitingMax: 256,
  callMs: 100,
  others: [0.2, 0.2, 0.2],
  burst: 10,
  fair: true,
  calls: 6_000,
  seed: 1,
};
const p99Max = 1.5;

export function measureFairness(): Outcome {
  const aims = [4, 16, 64].flatMap((slots) => [aimOf(slots, true), aimOf(slots, false)]);
  return { rows: [], aims, facts: [], rounds: [] };
}

function aimOf(slots: number, fair: boolean): Aim {
  const alone = simulateFairness({ ...usual, slots, fair, burst: 0 });
  const beside = simulateFairness({ ...usual, slots, fair });
  const names = Object.keys(alone);
  const worst = Math.max(...names.map((name) => (beside[name]?.p99Ms ?? 0) / (alone[name]?.p99Ms ?? 0)));
  const refused = names.reduce((sum, name) => sum + (beside[name]?.refused ?? 0), 0);
  const how = fair ? "by shares" : "first come, first served";
  const name = `p99 of others under a burst of 10 times a tier of ${slots} calls at once ÷ alone, ${how}`;
  const reached = `${worst.toFixed(2)}, ${refused} of their calls refused`;
  return fair ? { name, reached, aim: `≤ ${p99Max}`, met: worst <= p99Max } : { name, reached, aim: "–" };
}
