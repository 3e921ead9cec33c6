/**
 * The prompts that were answered before, by what they mean: one index a tenant, model, context and epoch. Its name is a keyed
 * hash that the caller makes, so a purge is another name. Nothing here throws: an index that cannot be reached finds
 * nothing, and keeps nothing.
 */
export interface SemanticIndexPort {
  /** The entries nearest to a vector that have not expired, nearest first. They are candidates, and no more than that. */
  find(index: string, ask: NearAsk): Promise<NearAnswer>;
  /** Keeps an entry, in place of one of the same id. Answers whether it is kept. */
  add(index: string, kept: KeptPrompt): Promise<boolean>;
  /** Answers whether there was one. */
  remove(index: string, id: string): Promise<boolean>;
  /**
   * An entry gave its answer to a call: those used often and lately stay longest when there is no room for all. An index may
   * forget some uses when it is put away.
   */
  used(index: string, id: string): Promise<void>;
}

/** A key of AES-256-GCM that entries are sealed with; the id lies beside what it sealed, in clear. */
export interface SealingKey {
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

/** The first seals; all of them open: two while the tenant's key is being rotated. */
export type SealingKeys = readonly [SealingKey, ...SealingKey[]];

export interface NearAsk {
  readonly keys: SealingKeys;
  /** Of length 1. All vectors of an index have the same dimensions. */
  readonly vector: Float32Array;
  /** How many candidates are wanted, 1 to 32. */
  readonly k: number;
  /** What is asked: entries that words alone tell from it (`disagreement`) are no candidates. Absent: all are. */
  readonly prompt?: string;
  /** Cosine below which an entry is no candidate. Default: none. */
  readonly similarityMin?: number;
}

export interface NearAnswer {
  /** False, and no candidates, while the index is still being read back into memory, or cannot be reached. */
  readonly ready: boolean;
  readonly candidates: readonly NearCandidate[];
  /** Entries found changed, or in another's place, since the last answer: they are gone now, and worth an alarm. */
  readonly unreadable: number;
}

export interface NearCandidate {
  readonly id: string;
  /** Cosine, -1 to 1, to about 0.002: vectors are kept in bytes. */
  readonly similarity: number;
  readonly prompt: string;
  readonly slot: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

export interface KeptPrompt {
  readonly keys: SealingKeys;
  readonly entry: PromptEntry;
  /** How many entries the index may hold: the one used least gives way. */
  readonly entriesMax: number;
}

export interface PromptEntry {
  /** What names the entry to remove it; short, and nothing secret. */
  readonly id: string;
  readonly prompt: string;
  /** Where the exact cache keeps the answer; the index does not look into it. */
  readonly slot: string;
  /** Of length 1. */
  readonly vector: Float32Array;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}
