import type { Limits } from "@ledge/contract";
import type { MeterAnswer, MeterAsk } from "@ledge/policy";

/** The exact counters of subjects. A throw means that one cannot be reached. */
export interface Meters {
  ask(subject: string, limits: Limits, ask: MeterAsk): Promise<MeterAnswer>;
}
