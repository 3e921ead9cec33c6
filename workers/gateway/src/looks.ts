import { neverLooked, type SnapshotAge } from "@ledge/policy";
import { inTime } from "./in-time.ts";

export type Background = (work: Promise<unknown>) => void;

/**
 * An isolate's looks at what is published, and how old that makes what it knows. They are not shared between calls
 * (docs/decisions/0004-identity.md).
 */
export class Looks {
  #age: SnapshotAge = neverLooked;
  readonly #read: (background: Background) => Promise<boolean>;
  readonly #nowMs: () => number;

  /** `read` takes what is published and tells whether that could be read. It never rejects. */
  constructor(read: (background: Background) => Promise<boolean>, nowMs: () => number) {
    this.#read = read;
    this.#nowMs = nowMs;
  }

  get age(): SnapshotAge {
    return this.#age;
  }

  /** Looks, and waits `msMax` for it. What comes late is taken when it comes. */
  async look(background: Background, msMax: number): Promise<void> {
    const askedMs = this.#nowMs();
    this.#age = { ...this.#age, askedMs };
    const reading = this.#readAt(askedMs, background);
    background(reading);
    // As of when it was begun: soon after the store's coming back somebody looks before answering.
    if (!(await inTime(msMax, reading))) this.#age = { ...this.#age, failedMs: askedMs };
  }

  async #readAt(askedMs: number, background: Background): Promise<boolean> {
    const known = await this.#read(background);
    if (known) this.#age = { ...this.#age, freshMs: Math.max(this.#age.freshMs, askedMs) };
    return known;
  }
}
