/** A kept answer, parsed. Whoever reads it must not change it: the next reader gets the same object. */
export interface NearAnswer {
  readonly value: unknown;
  /** Length of its JSON, UTF-16 code units. */
  readonly chars: number;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/**
 * Answers in the isolate's memory, bounded by bytes, the least recently used going first.
 * The bound leaves room for requests in flight in the isolate's 128 MB.
 */
export class MemoryAnswers {
  readonly #bytesMax: number;
  readonly #entries = new Map<string, NearAnswer>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string, nowMs: number): NearAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#remove(key, entry);
    if (entry.expiresAtMs <= nowMs) return undefined;
    this.#add(key, entry);
    return entry;
  }

  /** An answer larger than an eighth of the bound is not kept: it would push out too many others. */
  put(key: string, answer: NearAnswer): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(key, known);
    if (sizeOf(key, answer) > this.#bytesMax / 8) return;
    this.#add(key, answer);
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#remove(oldest, entry);
    }
  }

  #add(key: string, entry: NearAnswer): void {
    this.#entries.set(key, entry);
    this.#bytes += sizeOf(key, entry);
  }

  #remove(key: string, entry: NearAnswer): void {
    this.#entries.delete(key);
    this.#bytes -= sizeOf(key, entry);
  }
}

/** An estimate: two bytes a code unit of key and JSON, twice that for the parsed answer's objects, 100 for the entry. */
function sizeOf(key: string, answer: NearAnswer): number {
  return 2 * key.length + 4 * answer.chars + 100;
}
