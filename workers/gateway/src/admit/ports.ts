import type { KeyRecord, Limits } from "@ledge/contract";
import type { MeterAnswer, MeterAsk } from "@ledge/policy";

/** The exact counters of subjects. A throw means that one cannot be reached. */
export interface Meters {
  ask(subject: string, limits: Limits, ask: MeterAsk): Promise<MeterAnswer>;
}

/** Client certificates that were registered, by the SHA-256 of the certificate, hex. A throw means it cannot be reached. */
export interface CertificateStore {
  get(sha256: string): Promise<KeyRecord | undefined>;
}
