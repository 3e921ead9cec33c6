import type { BreakerNews } from "@ledge/policy/origins";
import type { Told, Turn } from "./turns.ts";

/** Where isolates tell one another. A throw means that it cannot be reached. */
export interface Book {
  exchange(turns: readonly Turn[]): Promise<readonly Told[]>;
}

const exchangeEveryMs = 2_000;
const turnsMax = 100;

/** What this isolate has to tell, and what it has heard. Nothing of it keeps a call waiting. */
export class News {
  readonly #book: Book;
  readonly #hear: (key: string, news: BreakerNews) => void;
  readonly #nowMs: () => number;
  readonly #heardMs = new Map<string, number>();
  #turns: Turn[] = [];
  #exchangedMs = 0;

  constructor(book: Book, hear: (key: string, news: BreakerNews) => void, nowMs: () => number) {
    this.#book = book;
    this.#hear = hear;
    this.#nowMs = nowMs;
  }

  /** The breaker of `key` opened or closed here. */
  tell(key: string, news: BreakerNews): void {
    this.#turns = [...this.#turns.filter((turn) => turn.key !== key), { key, news }].slice(-turnsMax);
  }

  /** Whether it is time to exchange: there is something to tell, or nothing was heard for two seconds. */
  get isDue(): boolean {
    return this.#turns.length > 0 || this.#nowMs() - this.#exchangedMs >= exchangeEveryMs;
  }

  /** Never throws: what could not be told is told the next time. */
  async exchange(): Promise<void> {
    const turns = this.#turns;
    this.#turns = [];
    this.#exchangedMs = this.#nowMs();
    try {
      const own = new Set(turns.map(({ key }) => key));
      for (const { key, news, atMs } of await this.#book.exchange(turns)) {
        const isNew = atMs > (this.#heardMs.get(key) ?? 0);
        this.#heardMs.set(key, atMs);
        if (isNew && !own.has(key)) this.#hear(key, news);
      }
    } catch {
      const later = new Set(this.#turns.map(({ key }) => key));
      this.#turns = [...turns.filter(({ key }) => !later.has(key)), ...this.#turns].slice(-turnsMax);
    }
  }
}
