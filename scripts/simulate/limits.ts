import { type LeasePolicy, leasePolicy } from "@ledge/policy";
import type { SubjectTally, WorldOptions } from "./limits-subject.ts";
import { runWorld } from "./limits-world.ts";

/**
 * Prints what a policy of leases costs and keeps, as the table of docs/limits.md: `npm run simulate:limits [-- seconds seed]`.
 * The same seed prints the same table.
 */

/** 300 locations of 50 isolates, 10,000 callers, and everything that can go wrong. */
export const wholeWorld: Omit<WorldOptions, "policy" | "seed" | "seconds"> = {
  locations: 300,
  isolatesPerLocation: 50,
  subjects: 10_000,
  topRate: 1_000,
  delayMs: [1, 150],
  loss: 0.005,
  doubled: 0.005,
  deathsPerS: 20,
  evictionsPerS: 50,
};

/** From one call at a time to leases of two seconds. */
export const policies: readonly (readonly [name: string, policy: LeasePolicy])[] = [
  ["none: one by one", { ...leasePolicy, callsMax: 1 }],
  ["250 ms, 1/8", { ...leasePolicy, lifeMs: 250 }],
  ["1 s, 1/8", leasePolicy],
  ["1 s, 1/2", { ...leasePolicy, shares: 2 }],
  ["4 s, 1/8", { ...leasePolicy, lifeMs: 4_000 }],
];

export interface Summary {
  readonly calls: number;
  /** Tokens or calls above a limit, at the worst moment of the worst subject. */
  readonly excess: number;
  /** Calls that counting one by one would have admitted and were not, as a share of those. */
  readonly underAdmission: number;
  readonly messagesPer1000: number;
  readonly unreached: number;
}

export function summaryOf(tallies: readonly SubjectTally[]): Summary {
  const sum = (of: (tally: SubjectTally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const [calls, ideal] = [sum((tally) => tally.calls), sum((tally) => tally.ideal)];
  return {
    calls,
    excess: Math.max(0, ...tallies.map((tally) => tally.excess)),
    underAdmission: 1 - sum((tally) => tally.admitted) / ideal,
    messagesPer1000: (1_000 * sum((tally) => tally.messages)) / calls,
    unreached: sum((tally) => tally.unreached),
  };
}

/** Subjects by how fast they call. */
const classes: readonly (readonly [name: string, has: (tally: SubjectTally) => boolean])[] = [
  ["all", () => true],
  ["over 100/s", ({ rate }) => rate > 100],
  ["10 to 100/s", ({ rate }) => rate > 10 && rate <= 100],
  ["1 to 10/s", ({ rate }) => rate > 1 && rate <= 10],
  ["under 1/s", ({ rate }) => rate <= 1],
];

function main(): void {
  const [seconds = "20", seed = "1"] = process.argv.slice(2);
  console.log(`| lease | callers | calls | exceeded by | admitted too few | meter calls per 1,000 |`);
  console.log("| --- | --- | ---: | ---: | ---: | ---: |");
  for (const [name, policy] of policies) {
    const tallies = runWorld({ ...wholeWorld, policy, seed: Number(seed), seconds: Number(seconds) });
    for (const [title, has] of classes) {
      const { calls, excess, underAdmission, messagesPer1000 } = summaryOf(tallies.filter(has));
      const cells = [calls, excess, `${(100 * underAdmission).toFixed(2)} %`, Math.round(messagesPer1000)];
      console.log(`| ${name} | ${title} | ${cells.join(" | ")} |`);
    }
  }
}

if (import.meta.main) main();
