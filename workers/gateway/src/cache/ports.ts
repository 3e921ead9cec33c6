/** Where answers are kept beyond the isolate. A failure to read is a miss, a failure to write loses nothing. */
export interface AnswerStore {
  get(key: string): Promise<StoredAnswer | undefined>;
  put(key: string, answer: StoredAnswer): Promise<void>;
}

/** An answer as it is kept: only complete successes, with everything needed to give them again. */
export interface StoredAnswer {
  /** JSON. */
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}
