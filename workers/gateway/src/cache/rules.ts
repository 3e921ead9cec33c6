import { type CacheState, cacheState, emptyCacheState, parse } from "@ledge/contract";
import { neverLooked, rulesUse, type SnapshotAge } from "@ledge/policy";
import type { RulesStore } from "./ports.ts";

/** How long a call waits for a look: longer for an isolate's first, which knows nothing yet. */
const lookMsMax = 250;
const firstLookMsMax = 2_000;

export interface RulesDeps {
  readonly store: RulesStore;
  /** Says to the operator why rules were not taken. */
  readonly say: (what: string) => void;
  readonly nowMs: () => number;
}

type Background = (work: Promise<unknown>) => void;

/**
 * The cache's rules, as this isolate knows them: never older than two seconds while they can be read, never older than a
 * minute, and never older than what was known before. Looks are not shared between calls (docs/decisions/0004-identity.md).
 */
export class Rules {
  readonly #deps: RulesDeps;
  #state: CacheState = emptyCacheState;
  #age: SnapshotAge = neverLooked;

  constructor(deps: RulesDeps) {
    this.#deps = deps;
  }

  /** The rules to answer a call by without waiting; `undefined` when somebody has to look first, or nothing can be known. */
  atHand(background: Background): CacheState | undefined {
    const use = rulesUse(this.#age, this.#deps.nowMs());
    if (use.renew) background(this.#look(background, firstLookMsMax));
    return use.by === "known" ? this.#state : undefined;
  }

  /** The rules to answer a call by; `undefined` when what is known is too old. Never fails. */
  async known(background: Background): Promise<CacheState | undefined> {
    const atHand = this.atHand(background);
    if (atHand !== undefined || rulesUse(this.#age, this.#deps.nowMs()).by === "none") return atHand;
    await this.#look(background, this.#age.freshMs === 0 ? firstLookMsMax : lookMsMax);
    return rulesUse(this.#age, this.#deps.nowMs()).by === "known" ? this.#state : undefined;
  }

  /** Asks the keeper itself, for whoever has just changed them. What cannot be got comes with the next look. */
  async catchUp(): Promise<void> {
    const { store, say } = this.#deps;
    try {
      const newer = await store.newerThan(this.#state.number);
      if (newer !== undefined) this.#adopt(newer);
    } catch (error) {
      say(`the keeper of the cache's rules cannot be asked: ${String(error)}`);
    }
  }

  /** Unless they are older than what is known. */
  #adopt(state: CacheState): void {
    if (state.number > this.#state.number) this.#state = state;
  }

  async #look(background: Background, msMax: number): Promise<void> {
    const { nowMs } = this.#deps;
    const askedMs = nowMs();
    this.#age = { ...this.#age, askedMs };
    let giveUp: (read: boolean) => void = () => undefined;
    const late = new Promise<boolean>((resolve) => {
      giveUp = resolve;
    });
    const timer = setTimeout(() => giveUp(false), msMax);
    const reading = this.#read(askedMs);
    // What comes late is taken when it comes.
    background(reading);
    // As of when it was begun: within two seconds of the store's coming back, somebody looks before answering.
    if (!(await Promise.race([reading, late]))) this.#age = { ...this.#age, failedMs: askedMs };
    clearTimeout(timer);
  }

  /** Whether the rules could be read; then they are known as of `askedMs`. */
  async #read(askedMs: number): Promise<boolean> {
    const { store, say } = this.#deps;
    try {
      const read = await store.current();
      if (read !== undefined && !this.#isKnown(read)) {
        const state = parse(cacheState, read);
        if (!state.ok) {
          say(`the cache's rules are not taken: ${JSON.stringify(state.fault.issues)}`);
          return false;
        }
        this.#adopt(state.value);
      }
      this.#age = { ...this.#age, freshMs: Math.max(this.#age.freshMs, askedMs) };
      return true;
    } catch (error) {
      say(`the cache's rules cannot be read: ${String(error)}`);
      return false;
    }
  }

  /** What has the number of what is known is the same, and need not be checked every second; unless it is a keyring, which has one too. */
  #isKnown(read: unknown): boolean {
    if (typeof read !== "object" || read === null || !("number" in read && "purges" in read)) return false;
    return read.number === this.#state.number;
  }
}
