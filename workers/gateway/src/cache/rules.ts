import { type CacheState, cacheState, emptyCacheState, parse } from "@ledge/contract";
import { rulesUse } from "@ledge/policy";
import { type Background, Looks } from "../looks.ts";
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

/**
 * The cache's rules, as this isolate knows them: never older than two seconds while they can be read, never older than a
 * minute, and never older than what was known before.
 */
export class Rules {
  readonly #deps: RulesDeps;
  #state: CacheState = emptyCacheState;
  readonly #looks: Looks;

  constructor(deps: RulesDeps) {
    this.#deps = deps;
    this.#looks = new Looks(() => this.#read(), deps.nowMs);
  }

  /** The rules to answer a call by without waiting; `undefined` when somebody has to look first, or nothing can be known. */
  atHand(background: Background): CacheState | undefined {
    const use = this.#use();
    if (use.renew) background(this.#looks.look(background, firstLookMsMax));
    return use.by === "known" ? this.#state : undefined;
  }

  /** The rules to answer a call by; `undefined` when what is known is too old. Never fails. */
  async known(background: Background): Promise<CacheState | undefined> {
    const atHand = this.atHand(background);
    if (atHand !== undefined || this.#use().by === "none") return atHand;
    await this.#looks.look(background, this.#looks.age.freshMs === 0 ? firstLookMsMax : lookMsMax);
    return this.#use().by === "known" ? this.#state : undefined;
  }

  #use() {
    return rulesUse(this.#looks.age, this.#deps.nowMs());
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

  async #read(): Promise<boolean> {
    const { store, say } = this.#deps;
    try {
      const read = await store.current();
      if (read === undefined || this.#isKnown(read)) return true;
      const state = parse(cacheState, read);
      if (state.ok) this.#adopt(state.value);
      else say(`the cache's rules are not taken: ${JSON.stringify(state.fault.issues)}`);
      return state.ok;
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
