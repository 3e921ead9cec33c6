import type { BlockChanges, Limits, OffenceReport } from "@ledge/contract";
import type { AbuseRecord, MeterAnswer, MeterAsk } from "@ledge/policy";

/** The exact counters of subjects. A throw means that one cannot be reached. */
export interface Meters {
  ask(subject: string, limits: Limits, ask: MeterAsk): Promise<MeterAnswer>;
}

/** What all isolates together know of bad callers. A throw means it cannot be reached. */
export interface AbuseBook {
  /** What is known of the caller then. */
  report(report: OffenceReport): Promise<AbuseRecord>;
  changesAfter(number: number): Promise<BlockChanges>;
}

/** The platform's coarse counter of requests. A throw means that it does not answer. */
export interface FloodWall {
  admits(address: string): Promise<boolean>;
}
