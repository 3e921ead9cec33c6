const refusedForMs = 10_000;
const refusalsMax = 10_000;

/** Tokens that no issuer called active lately, by the hash of the whole token: sent again and again, they buy no more questions. */
export class Refusals {
  readonly #sha256: (text: string) => Promise<Uint8Array>;
  readonly #nowMs: () => number;
  readonly #until = new Map<string, number>();

  constructor(sha256: (text: string) => Promise<Uint8Array>, nowMs: () => number) {
    this.#sha256 = sha256;
    this.#nowMs = nowMs;
  }

  async has(token: string): Promise<boolean> {
    const untilMs = this.#until.get(await this.#nameOf(token));
    return untilMs !== undefined && this.#nowMs() < untilMs;
  }

  /** The oldest goes first: a Map keeps the order of insertion. */
  async add(token: string): Promise<void> {
    const name = await this.#nameOf(token);
    this.#until.delete(name);
    if (this.#until.size >= refusalsMax) {
      const oldest = this.#until.keys().next().value;
      if (oldest !== undefined) this.#until.delete(oldest);
    }
    this.#until.set(name, this.#nowMs() + refusedForMs);
  }

  async #nameOf(token: string): Promise<string> {
    return String.fromCharCode(...(await this.#sha256(token)));
  }
}
