import type { KeyRecord } from "@ledge/contract";
import type { RateAsk, RateDecision, RateRule } from "@ledge/policy";

/** The exact counter of one subject's requests. A throw means it cannot be reached. */
export interface TokenBucket {
  take(subject: string, rule: RateRule, ask: RateAsk): Promise<RateDecision>;
}

/** Client certificates that were registered, by the SHA-256 of the certificate, hex. A throw means it cannot be reached. */
export interface CertificateStore {
  get(sha256: string): Promise<KeyRecord | undefined>;
}
