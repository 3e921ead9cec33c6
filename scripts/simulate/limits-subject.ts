import type { Limits } from "@ledge/contract";
import type { Amounts, LeasePolicy, MeterState } from "@ledge/policy";
import type { Admission } from "./limits-audit.ts";

/** What a simulated edge is made of: what is asked of it, and its callers. */

export interface WorldOptions {
  readonly seed: number;
  readonly locations: number;
  readonly isolatesPerLocation: number;
  readonly subjects: number;
  /** Calls a second of the busiest subject; the next has half of it, the third a third, and so on (Zipf). */
  readonly topRate: number;
  readonly seconds: number;
  readonly policy: LeasePolicy;
  /** One way, milliseconds: from, to. */
  readonly delayMs: readonly [number, number];
  /** Of each message, either way. */
  readonly loss: number;
  readonly doubled: number;
  /** Isolates that die in a second, and meters that are evicted. */
  readonly deathsPerS: number;
  readonly evictionsPerS: number;
  /** A fault for the audit to find: meters forget what they granted when they are evicted. */
  readonly forgetful?: boolean;
  /** Callers neither burst nor come near a limit: what asking costs at a rate. */
  readonly steady?: boolean;
}

/** What became of one subject's calls. */
export interface SubjectTally {
  /** Calls a second. */
  readonly rate: number;
  readonly limits: Limits;
  calls: number;
  admitted: number;
  /** Calls that counting one by one in one place, at once, would have admitted. */
  ideal: number;
  /** Asks and settlements that came to the meter. */
  messages: number;
  /** Calls whose meter could not be reached, twice. */
  unreached: number;
  /** By how much a limit was exceeded at worst; 0: never. */
  excess: number;
}

/** A caller: how fast it calls, and what it may use. */
export interface Subject {
  readonly index: number;
  readonly name: string;
  readonly rate: number;
  readonly limits: Limits;
  /** Whether its calls use tokens and are in flight for a while. */
  readonly holds: boolean;
  readonly tally: SubjectTally;
  readonly admissions: Admission[];
  /** The meter. */
  state: MeterState;
  /** The meter of counting one by one. */
  ideal: MeterState;
}

/** What a call would need, and what it uses in the end. */
export interface SimulatedCall {
  readonly needs: Amounts;
  readonly used: Amounts;
  readonly lastsMs: number;
}

export const callMsMax = 30_000;
