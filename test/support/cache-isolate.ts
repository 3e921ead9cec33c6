import { createHash, randomBytes } from "node:crypto";
import { type CachePolicy, type CacheState, emptyCacheState, type Keyring, ok, type Result } from "@ledge/contract";
import { type CacheOutcome, type CacheWish, plainWish } from "@ledge/policy";
import { AnswerCache, type Form } from "../../workers/gateway/src/cache/answers.ts";
import type { CacheCall } from "../../workers/gateway/src/cache/call.ts";
import { MemoryAnswers } from "../../workers/gateway/src/cache/memory.ts";
import type { Flights, Keep, Keyrings, RulesStore, SealedBytes } from "../../workers/gateway/src/cache/ports.ts";
import { Rules } from "../../workers/gateway/src/cache/rules.ts";
import { SealedLayer } from "../../workers/gateway/src/cache/sealed.ts";
import type { SemanticIndexPort } from "../../workers/gateway/src/cache/semantic/ports.ts";
import { Vault } from "../../workers/gateway/src/cache/vault.ts";

/** The answer cache of several isolates over the same stores, all in memory, with a clock of their own. */

export const testDigests = {
  sha256Hex: (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex"),
  same: (a: string, b: string) => a === b,
};

/** KV in memory; it counts what it is asked and can be out of reach or silent. */
export class MemoryBytes implements SealedBytes {
  readonly kept = new Map<string, Uint8Array>();
  readonly keeps = new Map<string, Keep>();
  reads = 0;
  fails: "never" | "throws" | "hangs" = "never";

  async get(slot: string) {
    this.reads++;
    await this.#fate();
    return this.kept.get(slot);
  }

  async put(slot: string, bytes: Uint8Array, keep: Keep) {
    await this.#fate();
    this.kept.set(slot, bytes);
    this.keeps.set(slot, keep);
  }

  async #fate() {
    if (this.fails === "throws") throw new Error("KV is down");
    if (this.fails === "hangs") await new Promise(() => undefined);
  }
}

export class MemoryRules implements RulesStore {
  state: CacheState = emptyCacheState;
  reads = 0;
  down = false;

  async current() {
    this.reads++;
    if (this.down) throw new Error("KV is down");
    return structuredClone(this.state);
  }

  async newerThan(number: number) {
    return this.state.number > number ? this.state : undefined;
  }

  /** Purges a scope, as the keeper would. */
  purge(scope: string) {
    const number = this.state.number + 1;
    this.state = { ...this.state, number, purges: { ...this.state.purges, [scope]: { number, atMs: 0 } } };
  }
}

export class MemoryKeyrings implements Keyrings {
  readonly rings = new Map<string, Keyring>();
  /** Rings made, and how often that was asked for. */
  made_ = 0;
  asked = 0;
  reads = 0;
  down = false;
  silent = false;

  async published(tenant: string) {
    this.reads++;
    if (this.silent) await new Promise(() => undefined);
    if (this.down) throw new Error("KV is down");
    return this.rings.get(tenant);
  }

  async made(tenant: string, atLeast: number) {
    this.asked++;
    if (this.down) throw new Error("the keeper is down");
    const known = this.rings.get(tenant);
    if (known !== undefined && known.number >= atLeast) return known;
    this.made_++;
    const ring = newKeyring(tenant, atLeast);
    this.rings.set(tenant, ring);
    return ring;
  }
}

export function newKeyring(tenant: string, number: number, older: Keyring["sealing"] = []): Keyring {
  const id = (older[0]?.id ?? 0) + 1;
  return { tenant, number, naming: salt(), sealing: [{ id, salt: salt(), createdAtMs: 0 }, ...older] };
}

function salt(): string {
  return randomBytes(32).toString("base64");
}

/** Finds nothing, and keeps nothing. */
export const noIndex: SemanticIndexPort = {
  find: async () => ({ ready: false, candidates: [], unreadable: 0 }),
  add: async () => false,
  remove: async () => false,
  used: async () => undefined,
};

export class CacheWorld {
  nowMs = 1_700_000_000_000;
  readonly bytes = new MemoryBytes();
  readonly rules = new MemoryRules();
  readonly keyrings = new MemoryKeyrings();
  readonly behind: Promise<unknown>[] = [];
  policy: CachePolicy = { ttl_s: 60 };
  flights: Flights = {
    whole: async ({ signal }, work) => ({ result: await work(signal), collapsed: false }),
    stream: async ({ signal }, work) => ({ result: await work(signal), collapsed: false }),
  };

  isolate(secret = "a-secret-of-at-least-32-characters"): AnswerCache {
    const nowMs = () => this.nowMs;
    const kv = new SealedLayer("kv", this.bytes);
    return new AnswerCache({
      memory: new MemoryAnswers(1_000_000, nowMs),
      far: kv,
      store: kv,
      rules: new Rules({ store: this.rules, say: () => undefined, nowMs }),
      vault: new Vault({ secret, keyrings: this.keyrings, nowMs }),
      flights: this.flights,
      index: noIndex,
      digests: testDigests,
      policy: this.policy,
      nowMs,
    });
  }

  call(
    more: Partial<CacheCall["identity"]> = {},
    wish: Partial<CacheWish> = {},
    rest: Partial<CacheCall> = {},
  ): CacheCall {
    const identity = {
      tenant: "acme",
      task: "chat",
      model: "m",
      version: "1",
      digest: "d",
      input: "the question",
      ...more,
    };
    return {
      identity,
      wish: { ...plainWish, ...wish },
      header: () => null,
      sampled: false,
      reach: "isolate",
      deadlineMs: this.nowMs + 30_000,
      signal: new AbortController().signal,
      waitUntil: (work) => void this.behind.push(work),
      ...rest,
    };
  }

  /** Waits until everything behind answers is done. */
  async settle(): Promise<void> {
    while (this.behind.length > 0) await Promise.all(this.behind.splice(0));
  }
}

/** Any JSON as it is. */
export const plainForm: Form<unknown> = { record: (answer) => answer, read: (kept) => kept };

/** Asks, and tells how the call is reported, what it got, and whether it did the work. */
export async function ask(
  cache: AnswerCache,
  call: CacheCall,
  answer: Result<unknown> | (() => Promise<Result<unknown>>) = ok("made"),
): Promise<{ result: Result<unknown>; outcome: CacheOutcome | undefined; worked: number }> {
  let outcome: CacheOutcome | undefined;
  let worked = 0;
  const work = async () => {
    worked++;
    return typeof answer === "function" ? await answer() : answer;
  };
  const result = await cache.answer(call, plainForm, work, (said) => {
    outcome = said;
  });
  return { result, outcome, worked };
}
