import type { Fault } from "./faults.ts";

/** One chunk of OpenAI's stream, as far as the specimen looks into it. */
export interface Chunk {
  readonly choices: readonly { readonly index: number; readonly delta: Delta; readonly finish_reason: string | null }[];
  readonly usage?: unknown;
}

export interface Delta {
  readonly role?: string;
  readonly content?: string | null;
  readonly tool_calls?: readonly ToolPart[];
}

export interface ToolPart {
  readonly index: number;
  readonly id?: string;
  readonly type?: string;
  readonly function: { readonly name?: string; readonly arguments: string };
}

/** How a flight ended: whole, or with a status to tell the callers. */
export type Landing = { readonly whole: true } | { readonly whole: false; readonly status: number };

/** A call to the origin that hears nothing for this long is given up for another. */
const silenceMs = 1_000;

/**
 * A call to the origin that any number of callers follow. It belongs to none of them: whoever leaves, it goes on. Always a
 * stream with usage, as both forms of an answer can be made of that.
 */
export class Flight {
  readonly chunks: Chunk[] = [];
  readonly landed: Promise<Landing>;
  landing: Landing | undefined;
  #heard: (() => void)[] = [];

  constructor(call: (signal: AbortSignal) => Promise<Response>, has: (fault: Fault) => boolean, called: AbortSignal) {
    this.landed = this.#fly(call, has, called);
  }

  /** Every chunk from the first, as they come; ends when the flight does. */
  async *follow(): AsyncGenerator<Chunk> {
    for (let at = 0; ; at++) {
      while (at >= this.chunks.length && this.landing === undefined) {
        await new Promise<void>((resolve) => this.#heard.push(resolve));
      }
      const chunk = this.chunks[at];
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  async #fly(call: (signal: AbortSignal) => Promise<Response>, has: (fault: Fault) => boolean, called: AbortSignal) {
    let landing: Landing = { whole: false, status: 502 };
    // A second try only while nobody has seen anything of the first.
    for (let tries = 0; tries < 2 && this.chunks.length === 0 && !landing.whole; tries++) {
      landing = await this.#try(call, silenceMs, called);
      if (has("hangs with its leader") || has("fails with its leader")) break;
    }
    this.landing = landing;
    this.#wake();
    return landing;
  }

  async #try(call: (signal: AbortSignal) => Promise<Response>, waitMs: number, called: AbortSignal): Promise<Landing> {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), waitMs);
    try {
      const response = await call(AbortSignal.any([giveUp.signal, called]));
      clearTimeout(timer);
      if (response.status !== 200) return { whole: false, status: response.status };
      return (await this.#read(response)) ? { whole: true } : { whole: false, status: 502 };
    } catch {
      return { whole: false, status: 502 };
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(response: Response): Promise<boolean> {
    const decoder = new TextDecoder();
    let rest = "";
    let finished = false;
    for await (const bytes of response.body ?? []) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines.filter((one) => one.startsWith("data:"))) {
        const payload = line.slice(5).trim();
        if (payload === "[DONE]") return finished;
        const chunk = JSON.parse(payload) as Chunk & { error?: unknown };
        if (chunk.error !== undefined) return false;
        finished ||= chunk.choices.some(({ finish_reason }) => finish_reason !== null);
        this.chunks.push(chunk);
        this.#wake();
      }
    }
    return false;
  }

  #wake(): void {
    const heard = this.#heard;
    this.#heard = [];
    for (const wake of heard) wake();
  }
}
