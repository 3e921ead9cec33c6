import { type AnswerIdentity, type CacheOutcome, type CacheWish, identityText } from "@ledge/policy";
import type { Digests } from "../ports.ts";
import type { MemoryAnswers } from "./memory.ts";
import type { AnswerStore, StoredAnswer } from "./ports.ts";

export interface CacheDeps {
  readonly memory: MemoryAnswers;
  readonly store: AnswerStore;
  readonly digests: Digests;
  readonly nowMs: () => number;
  readonly ttlS: number;
}

export interface Hit {
  /** JSON, as it was stored. */
  readonly body: string;
  readonly outcome: CacheOutcome;
}

/** Have we answered this? Isolate memory, then KV; a hit in memory touches nothing else. */
export class AnswerCache {
  readonly #deps: CacheDeps;

  constructor(deps: CacheDeps) {
    this.#deps = deps;
  }

  keyOf(identity: AnswerIdentity): string {
    return `answer:${this.#deps.digests.sha256Hex(identityText(identity))}`;
  }

  async lookup(key: string, wish: CacheWish): Promise<Hit | undefined> {
    if (!wish.lookup) return undefined;
    const { memory, store, nowMs } = this.#deps;
    const near = memory.get(key, nowMs());
    if (near !== undefined) return this.#hit(near, "memory");
    const far = await store.get(key).catch(() => undefined);
    if (far === undefined || far.expiresAtMs <= nowMs()) return undefined;
    memory.put(key, far);
    return this.#hit(far, "kv");
  }

  /** Keeps a complete success. Resolves when KV has it; the caller's answer need not wait for that. */
  async store(key: string, body: string, wish: CacheWish): Promise<void> {
    if (!wish.store) return;
    const { memory, store, nowMs, ttlS } = this.#deps;
    const answer: StoredAnswer = { body, expiresAtMs: nowMs() + ttlS * 1000 };
    memory.put(key, answer);
    await store.put(key, answer).catch(() => undefined);
  }

  #hit(answer: StoredAnswer, layer: "memory" | "kv"): Hit {
    const ttlS = Math.max(0, Math.floor((answer.expiresAtMs - this.#deps.nowMs()) / 1000));
    return { body: answer.body, outcome: { kind: "hit", layer, ttlS } };
  }
}

/** How a call that was not answered from the cache is reported. */
export function forwarded(wish: CacheWish, cacheable: boolean): CacheOutcome {
  if (!cacheable || !wish.store) return { kind: "forward", why: "bypass", stored: false };
  return { kind: "forward", why: wish.lookup ? "miss" : "request", stored: true };
}
