import type { Measured } from "./compare.ts";
import { medianOf } from "./compare.ts";

/** What a part of the bench found. */
export interface Outcome {
  readonly rows: readonly Row[];
  readonly aims: readonly Aim[];
  readonly facts: readonly Fact[];
  /** Every round, for --json. */
  readonly rounds: readonly Measured[];
}

/** One line of the table; medians over the rounds. NaN where there is no such figure. */
export interface Row {
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly latencyMsMean: number;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  /** CPU time of the serving process, microseconds per request: steadier than the clock on a busy machine. */
  readonly cpuUs: number;
}

export interface Aim {
  readonly name: string;
  readonly aim: string;
  readonly reached: string;
  /** Absent where nothing was aimed at: the number stands for itself. */
  readonly met?: boolean;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export function rowOf(measured: Measured): Row {
  return {
    name: measured.name,
    requestsPerSecond: medianOf(measured, (round) => round.requestsPerSecond),
    latencyMsMean: medianOf(measured, (round) => round.latencyMsMean),
    latencyMsP50: medianOf(measured, (round) => round.latencyMsP50),
    latencyMsP99: medianOf(measured, (round) => round.latencyMsP99),
    cpuUs: medianOf(measured, (round) => round.cpuUs),
  };
}
