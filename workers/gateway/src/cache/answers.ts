import { type CachePolicy, type CacheState, type Fault, fail, headers, ok, type Result } from "@ledge/contract";
import type { CacheOutcome } from "@ledge/policy";
import type { Digests } from "../ports.ts";
import type { CacheCall, Found, Miss } from "./call.ts";
import type { MemoryAnswers } from "./memory.ts";
import type { AnswerLayer, Flights } from "./ports.ts";
import { RuleBook } from "./rule-book.ts";
import type { Rules } from "./rules.ts";
import type { SemanticIndexPort } from "./semantic/ports.ts";
import type { Vault } from "./vault.ts";
import { Visit } from "./visit.ts";

export interface CacheDeps {
  readonly memory: MemoryAnswers;
  /** Beyond the isolate: where answers are looked for, and where they are put, which may stand behind it. */
  readonly far: AnswerLayer;
  readonly store: AnswerLayer;
  readonly rules: Rules;
  readonly vault: Vault;
  readonly flights: Flights;
  readonly index: SemanticIndexPort;
  readonly digests: Digests;
  /** What holds where neither model nor tenant says anything. */
  readonly policy: CachePolicy;
  readonly nowMs: () => number;
}

/** How an answer is kept: as plain JSON. */
export interface Form<T> {
  /** `undefined` when it is not to be kept. */
  record(answer: T): unknown;
  /** `undefined` for what cannot be read: then it is a miss. */
  read(kept: unknown): T | undefined;
}

/** What work is done for: the call itself, or the next ones behind its answer. */
export interface Errand {
  readonly behind: boolean;
  /** Milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Aborts when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** Workers end what runs behind an answer after 30 s. */
const refreshMsMax = 20_000;

/**
 * Have we answered this? Isolate memory, then what lies beyond, else one of the equal calls asks the tiers and what it gets is
 * kept (docs/decisions/0010-answer-cache.md). Nothing of the cache ever fails a call, except what the caller asked of it.
 */
export class AnswerCache {
  readonly #deps: CacheDeps;
  /** By slot: until when another call is believed to refresh it, milliseconds since 1970. */
  readonly #refreshing = new Map<string, number>();
  #book: RuleBook | undefined;

  constructor(deps: CacheDeps) {
    this.#deps = deps;
  }

  /**
   * The whole way of a call whose answer comes in one piece: looked up, or else got by `work`, once for all equal calls, and
   * kept. `say` learns how it is reported. Errors: those of `work`, `invalid_header`, `not_cached`.
   */
  async answer<T>(
    call: CacheCall,
    form: Form<T>,
    work: (errand: Errand) => Promise<Result<T>>,
    say: (outcome: CacheOutcome) => void,
  ): Promise<Result<T>> {
    const looked = await this.look(call);
    if (!looked.ok) return looked;
    if (looked.value.kind === "miss") return await this.#fly(call, looked.value, form, work, say);
    const { value, outcome, refresh } = looked.value;
    const read = form.read(value);
    if (read === undefined) return await this.answer(blind(call), form, work, say);
    say(outcome);
    if (refresh !== undefined) {
      const done = this.#fly(
        this.behind(call),
        refresh,
        form,
        (errand) => work({ ...errand, behind: true }),
        () => undefined,
      );
      call.waitUntil(done.catch(() => undefined));
    }
    return ok(read);
  }

  /** The same call as work behind its answer, which goes on when the caller has left. */
  behind(call: CacheCall): CacheCall {
    return { ...call, deadlineMs: this.#deps.nowMs() + refreshMsMax, signal: new AbortController().signal };
  }

  /** The first half of the way, for answers that come in pieces. Errors: `invalid_header`, `not_cached`. */
  async look(call: CacheCall): Promise<Result<Found | Miss>> {
    const { rules } = this.#deps;
    const state = rules.atHand(call.waitUntil) ?? (await rules.known(call.waitUntil));
    if (state === undefined) return past(call, { detail: "rules-unknown" });
    const book = this.#bookOf(state);
    const rule = book.ruleOf(call.identity);
    const { wish, sampled } = call;
    if (wish.ttlS !== undefined && wish.ttlS > rule.ttlSMax) {
      return fail("invalid_header", { detail: `${headers.cacheTtl} takes at most ${rule.ttlSMax} here.` });
    }
    if (!rule.enabled) return past(call, { detail: "off" });
    if (!wish.store || (sampled && wish.ttlS === undefined)) return past(call);
    const visit = new Visit(this.#deps, this.#refreshing, call, book);
    const found = visit.near() ?? (await visit.far());
    if (found?.kind === "found") return ok(found);
    if (wish.onlyIfCached) return fail("not_cached");
    return found === undefined ? past(call, { detail: "keys-unknown", ...visit.alarm() }) : ok(found);
  }

  async #fly<T>(
    call: CacheCall,
    miss: Miss,
    form: Form<T>,
    work: (errand: Errand) => Promise<Result<T>>,
    say: (outcome: CacheOutcome) => void,
  ): Promise<Result<T>> {
    let outcome = miss.outcome;
    const { deadlineMs } = call;
    const lead = async (signal: AbortSignal) => {
      const answer = await work({ behind: false, deadlineMs, signal });
      const record = answer.ok ? form.record(answer.value) : undefined;
      if (record !== undefined) outcome = miss.keep(record);
      return answer;
    };
    const flown =
      miss.flight && (await this.#deps.flights.whole({ ...miss.flight, deadlineMs, signal: call.signal }, lead));
    const result = flown?.result ?? (await lead(call.signal));
    if (result.ok) {
      say(flown?.collapsed === true ? miss.collapsed : outcome);
      return result;
    }
    const instead = miss.insteadOf(result.fault);
    const read = instead && form.read(instead.value);
    say(read === undefined || instead === undefined ? miss.outcome : instead.outcome);
    return read === undefined ? result : ok(read);
  }

  #bookOf(state: CacheState): RuleBook {
    if (this.#book?.state !== state) this.#book = new RuleBook(state, this.#deps.policy);
    return this.#book;
  }
}

/** The same call, which does not look anything up. */
function blind(call: CacheCall): CacheCall {
  return { ...call, wish: { ...call.wish, lookup: false } };
}

/** Past the cache: nothing is looked up, nothing kept, and nobody waits for anybody. */
function past(call: CacheCall, more: { readonly detail?: string; readonly unsealed?: true } = {}): Result<Miss> {
  if (call.wish.onlyIfCached) return fail("not_cached");
  const outcome: CacheOutcome = { kind: "forward", why: "bypass", stored: false, ...more };
  return ok({
    kind: "miss",
    outcome,
    collapsed: outcome,
    keep: () => outcome,
    insteadOf: (_fault: Fault) => undefined,
  });
}
