import type { Address, AnswerLayer, Entry } from "./ports.ts";

/**
 * Answers in the isolate's memory, bounded by bytes, the least recently used going first. Asked by what was asked itself, so a
 * hit hashes nothing. The bound leaves room for requests in flight in the isolate's 128 MB.
 *
 * A large answer that would push out many others is kept only when it is asked for again: seen once, it may never be wanted.
 */
export class MemoryAnswers implements AnswerLayer {
  readonly name = "memory";
  readonly #bytesMax: number;
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, Kept>();
  /** Large answers that were put once and not kept, by the id of their entries; the oldest first. */
  readonly #seenOnce = new Set<string>();
  #bytes = 0;

  constructor(bytesMax: number, nowMs: () => number) {
    this.#bytesMax = bytesMax;
    this.#nowMs = nowMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What lies here, without a promise's turn. */
  find(text: string): Entry | undefined {
    const kept = this.#entries.get(text);
    if (kept === undefined) return undefined;
    this.#remove(text, kept);
    if (kept.untilMs <= this.#nowMs()) return undefined;
    this.#add(text, kept);
    return kept.entry;
  }

  async get({ text }: Pick<Address, "text">): Promise<Entry | undefined> {
    return this.find(text);
  }

  async put({ text }: Pick<Address, "text">, entry: Entry, keepS: number): Promise<void> {
    const known = this.#entries.get(text);
    if (known !== undefined) this.#remove(text, known);
    const bytes = sizeOf(text, entry);
    if (!this.#admits(entry.id, bytes, known !== undefined)) return;
    this.#add(text, { entry, bytes, untilMs: entry.createdAtMs + keepS * 1000 });
    for (const [oldest, kept] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#remove(oldest, kept);
    }
  }

  #admits(id: string, bytes: number, known: boolean): boolean {
    if (bytes > this.#bytesMax / largestShare) return false;
    if (known || bytes <= this.#bytesMax / largeShare || this.#bytes + bytes <= this.#bytesMax) return true;
    if (this.#seenOnce.delete(id)) return true;
    this.#seenOnce.add(id);
    for (const oldest of this.#seenOnce) {
      if (this.#seenOnce.size <= seenOnceMax) break;
      this.#seenOnce.delete(oldest);
    }
    return false;
  }

  #add(text: string, kept: Kept): void {
    this.#entries.set(text, kept);
    this.#bytes += kept.bytes;
  }

  #remove(text: string, kept: Kept): void {
    this.#entries.delete(text);
    this.#bytes -= kept.bytes;
  }
}

interface Kept {
  readonly entry: Entry;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** An answer above an eighth of the bound is never kept, one above a hundredth not at once when it would push out others. */
const largestShare = 8;
const largeShare = 100;
const seenOnceMax = 1_000;

/** An estimate: two bytes a code unit of what was asked and of the JSON, twice that for the parsed answer's objects, 300 for the entry. */
function sizeOf(text: string, { chars }: Entry): number {
  return 2 * text.length + 4 * chars + 300;
}
