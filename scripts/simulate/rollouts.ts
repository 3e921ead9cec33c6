import { runCanary } from "./canary-world.ts";
import { type Random, randomOf } from "./random.ts";
import { fewCallers, nothingWrong, type Scenario, somethingWrong } from "./scenarios.ts";

/**
 * Prints how often canaries err and how soon they find a fault, as the tables of docs/rollouts.md:
 * `node scripts/simulate/rollouts.ts [runs] [seed]`. The same seed prints the same tables.
 */

interface Row {
  readonly name: string;
  readonly runs: number;
  readonly rolledBack: number;
  readonly promoted: number;
  /** Medians over the canaries that were rolled back. */
  readonly candidateCalls: number | undefined;
  readonly exposure: number | undefined;
}

export function simulate({ name, world }: Scenario, runs: number, random: Random): Row {
  const all = Array.from({ length: runs }, (_, run) => runCanary(world(run, random), random));
  const rolledBack = all.filter(({ outcome }) => outcome === "rolled-back");
  return {
    name,
    runs,
    rolledBack: rolledBack.length,
    promoted: all.filter(({ outcome }) => outcome === "promoted").length,
    candidateCalls: median(rolledBack.map((run) => run.candidateCalls)),
    exposure: median(rolledBack.map((run) => run.candidateCalls / run.allCalls)),
  };
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function table(rows: readonly Row[]): string {
  const percent = (share: number | undefined) => (share === undefined ? "–" : `${(share * 100).toFixed(1)} %`);
  const lines = rows.map(({ name, runs, rolledBack, promoted, candidateCalls, exposure }) => {
    const undecided = runs - rolledBack - promoted;
    const shares = [rolledBack, promoted, undecided].map((count) => percent(count / runs));
    return `| ${[name, ...shares, candidateCalls?.toLocaleString("en") ?? "–", percent(exposure)].join(" | ")} |`;
  });
  const head = ["the candidate", "rolled back", "promoted", "undecided", "its calls until then", "of all calls"];
  return [`| ${head.join(" | ")} |`, `|---|${"---:|".repeat(head.length - 1)}`, ...lines].join("\n");
}

if (import.meta.main) {
  const runs = Number(process.argv[2] ?? 2_000);
  const random = randomOf(Number(process.argv[3] ?? 1));
  const part = (title: string, scenarios: readonly Scenario[], count: number) => {
    const rows = scenarios.map((scenario) => simulate(scenario, count, random));
    console.log(`${title}, ${count} canaries each\n\n${table(rows)}\n`);
  };
  part("Nothing wrong", nothingWrong, runs);
  part("Worse than tolerated, by points", somethingWrong, Math.ceil(runs / 4));
  part("As good, few callers", fewCallers, Math.ceil(runs / 20));
}
