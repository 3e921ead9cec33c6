import type { LedgerRow, LedgerRules, ModelTally, TallyBatch } from "@ledge/contract";

/** The counter of each model. A throw means that it cannot be reached, or that nobody knows whether the batch arrived. */
export interface TallySink {
  /** Counts a batch; the same batch again is not counted again. */
  add(model: string, batch: TallyBatch): Promise<void>;
}

/** One rating of an answer. */
export interface Rating {
  readonly requestId: string;
  readonly version: string;
  /** 0 to 1. */
  readonly score: number;
  /** The rollout that has the version among its arms, or `noRollout`. */
  readonly rollout: string;
}

/** Where ratings are counted. A throw means that it cannot be reached. */
export interface RatingCounter {
  /** False when the request was rated before: then nothing is counted. */
  rate(model: string, rating: Rating): Promise<boolean>;
}

/** Where statistics are read. A throw means that it cannot be reached. */
export interface TallyReader {
  /** What all isolates handed over; of a model that was never called, nothing. */
  read(model: string): Promise<ModelTally>;
}

/** Where rows are kept until their tenants' ledgers have them. Never throws. */
export interface Ledgers {
  record(tenant: string, rules: LedgerRules, row: LedgerRow, background: (work: Promise<void>) => void): void;
}
