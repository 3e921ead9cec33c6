import type { Generator } from "./load/drive.ts";
import type { Findings, Job } from "./load/job.ts";
import { cpuUs } from "./process-figures.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/** One side of a comparison: a load, and the process that bears it. */
export interface Side {
  readonly name: string;
  readonly job: Omit<Job, "seconds">;
  /** The process whose CPU time is counted. */
  readonly pid: number;
}

/** What one side did in one round. */
export interface Round extends Findings {
  /** CPU time of the side's process, microseconds per request. */
  readonly cpuUs: number;
}

export interface Measured {
  readonly name: string;
  readonly rounds: readonly Round[];
}

export interface Rhythm {
  readonly warmSeconds: number;
  readonly rounds: number;
  readonly roundSeconds: number;
}

/** Measures sides in turns, a b a b …, so that what else the machine does falls on all of them. */
export async function compare(generator: Generator, sides: readonly Side[], rhythm: Rhythm): Promise<Measured[]> {
  for (const { job } of sides) await generator.drive({ ...job, seconds: rhythm.warmSeconds });
  const measured = sides.map(({ name }) => ({ name, rounds: [] as Round[] }));
  for (let round = 0; round < rhythm.rounds; round++) {
    for (const [index, { job, pid }] of sides.entries()) {
      const before = cpuUs(pid);
      const findings = await generator.drive({ ...job, seconds: rhythm.roundSeconds });
      measured[index]?.rounds.push({ ...findings, cpuUs: (cpuUs(pid) - before) / findings.answers });
    }
  }
  return measured;
}

export function medianOf(measured: Measured, pick: (round: Round) => number): number {
  return spreadOf(measured.rounds.map(pick)).median;
}

/** A number made of both sides of each round, over the rounds. */
export function perRound(a: Measured, b: Measured, pick: (a: Round, b: Round) => number): Spread {
  return spreadOf(
    a.rounds.flatMap((round, index) => {
      const other = b.rounds[index];
      return other === undefined ? [] : [pick(round, other)];
    }),
  );
}
