/**
 * What is counted. Isolates add up as calls end and hand their sums to one Durable Object a model; every number is a sum, so
 * that sums of sums stay true. Field names of {@link VersionTally} follow Triton's statistics.
 */

/** How often, and for how long in all, nanoseconds. */
export interface Duration {
  readonly count: number;
  readonly ns: number;
}

export interface VersionTally {
  /** Milliseconds since 1970; the latest counts when tallies are joined. */
  readonly lastInferenceMs: number;
  /** Rows answered by a run of the graph: cache hits are not among them. */
  readonly inferenceCount: number;
  /** Runs of the graph. */
  readonly executionCount: number;
  /** Calls by outcome, cache hits among the successes. */
  readonly success: Duration;
  readonly fail: Duration;
  readonly queue: Duration;
  readonly computeInput: Duration;
  readonly computeInfer: Duration;
  readonly computeOutput: Duration;
  readonly cacheHit: Duration;
  readonly cacheMiss: Duration;
  /** Runs by rows in the batch. */
  readonly batches: Readonly<
    Record<
      string,
      { readonly computeInput: Duration; readonly computeInfer: Duration; readonly computeOutput: Duration }
    >
  >;
  /** Failed calls by Triton's reasons: REJECTED (never ran), CANCELED, BACKEND, OTHER. */
  readonly failures: Readonly<Record<string, number>>;
  /** What the answer cache did, by event. */
  readonly cache: Readonly<Record<string, number>>;
}

/** One arm of a rollout. Counted for calls that the split decided, cache hits excluded: they say nothing of the version. */
export interface ArmTally {
  readonly calls: number;
  /** Failures of the version or its tier; what the caller did wrong is not counted at all. */
  readonly errors: number;
  /** Of the successful calls. */
  readonly slow: number;
  /** Calls whose answer has a best score, and how many of those were unsure. */
  readonly scored: number;
  readonly unsure: number;
  /** Sum of the best scores, for the mean. */
  readonly scoreSum: number;
  readonly rated: number;
  readonly disliked: number;
  readonly ratingSum: number;
  /** Of a shadow: pairs compared, and how many of them agreed. */
  readonly compared: number;
  readonly agreed: number;
  /** Of a shadow: copies not made, because too many were under way already. */
  readonly skipped: number;
  /** Successful calls by latency: bucket `i` holds those up to `latencyBoundsMs[i]`, the last one the rest. */
  readonly latency: readonly number[];
}

/** Upper bounds of {@link ArmTally.latency}, milliseconds: 0.5 to 60,000 in steps of about 1.26, so a quantile is good to a tenth or so. */
export const latencyBoundsMs: readonly number[] = Array.from({ length: 52 }, (_, step) =>
  Number((0.5 * 10 ** (step / 10)).toPrecision(3)),
);

/**
 * Calls that no rollout dealt are counted as arms too, under this id: what is usual for a version. The counter lets them fade
 * with a half-life of an hour.
 */
export const noRollout = "-";

/** What an isolate hands over. A batch that is sent twice is counted once. */
export interface TallyBatch {
  /** Random, one an isolate. */
  readonly isolate: string;
  /** Grows by one with each batch of the isolate. */
  readonly number: number;
  readonly versions: Readonly<Record<string, VersionTally>>;
  /** By rollout id, or {@link noRollout}, then version. */
  readonly arms: Readonly<Record<string, Readonly<Record<string, ArmTally>>>>;
}

/** What one model's counter knows. */
export interface ModelTally {
  readonly versions: Readonly<Record<string, VersionTally>>;
  readonly arms: Readonly<Record<string, Readonly<Record<string, ArmTally>>>>;
}
