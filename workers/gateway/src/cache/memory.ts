import type { StoredAnswer } from "./ports.ts";

/**
 * Answers in the isolate's memory, bounded by bytes, the least recently used going first.
 * The bound leaves room for requests in flight in the isolate's 128 MB.
 */
export class MemoryAnswers {
  readonly #bytesMax: number;
  readonly #entries = new Map<string, StoredAnswer>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string, nowMs: number): StoredAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#remove(key, entry);
    if (entry.expiresAtMs <= nowMs) return undefined;
    this.#add(key, entry);
    return entry;
  }

  /** An answer larger than an eighth of the bound is not kept: it would push out too many others. */
  put(key: string, answer: StoredAnswer): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(key, known);
    if (sizeOf(key, answer) > this.#bytesMax / 8) return;
    this.#add(key, answer);
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#remove(oldest, entry);
    }
  }

  #add(key: string, entry: StoredAnswer): void {
    this.#entries.set(key, entry);
    this.#bytes += sizeOf(key, entry);
  }

  #remove(key: string, entry: StoredAnswer): void {
    this.#entries.delete(key);
    this.#bytes -= sizeOf(key, entry);
  }
}

/** An upper bound: strings take two bytes a unit when they hold more than Latin-1; 100 for the entry itself. */
function sizeOf(key: string, answer: StoredAnswer): number {
  return 2 * (key.length + answer.body.length) + 100;
}
