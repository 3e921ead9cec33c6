import { type AnswerIdentity, type CacheOutcome, type CacheWish, identityText } from "@ledge/policy";
import type { Digests } from "../ports.ts";
import type { MemoryAnswers } from "./memory.ts";
import type { AnswerStore } from "./ports.ts";

export interface CacheDeps {
  readonly memory: MemoryAnswers;
  readonly store: AnswerStore;
  readonly digests: Digests;
  readonly nowMs: () => number;
  readonly ttlS: number;
}

export interface Hit {
  /** What was stored; not to be changed. */
  readonly value: unknown;
  readonly outcome: CacheOutcome;
}

/**
 * Have we answered this? Isolate memory, then KV. Memory is keyed by the identity itself, so a hit there hashes nothing
 * and touches nothing else; KV is keyed by its SHA-256, so that no input can be read off a key.
 */
export class AnswerCache {
  readonly #deps: CacheDeps;

  constructor(deps: CacheDeps) {
    this.#deps = deps;
  }

  async lookup(identity: AnswerIdentity, wish: CacheWish): Promise<Hit | undefined> {
    if (!wish.lookup) return undefined;
    const { memory, store, nowMs } = this.#deps;
    const text = identityText(identity);
    const near = memory.get(text, nowMs());
    if (near !== undefined) return { value: near.value, outcome: this.#hit("memory", near.expiresAtMs) };
    const far = await store.get(this.#farKey(text)).catch(() => undefined);
    if (far === undefined || far.expiresAtMs <= nowMs()) return undefined;
    const value: unknown = JSON.parse(far.body);
    memory.put(text, { value, chars: far.body.length, expiresAtMs: far.expiresAtMs });
    return { value, outcome: this.#hit("kv", far.expiresAtMs) };
  }

  /** Keeps a complete success. Resolves when KV has it; the caller's answer need not wait for that. */
  async store(identity: AnswerIdentity, value: unknown, wish: CacheWish): Promise<void> {
    if (!wish.store) return;
    const { memory, store, nowMs, ttlS } = this.#deps;
    const text = identityText(identity);
    const body = JSON.stringify(value);
    const expiresAtMs = nowMs() + ttlS * 1000;
    memory.put(text, { value, chars: body.length, expiresAtMs });
    await store.put(this.#farKey(text), { body, expiresAtMs }).catch(() => undefined);
  }

  #farKey(text: string): string {
    return `answer:${this.#deps.digests.sha256Hex(text)}`;
  }

  #hit(layer: "memory" | "kv", expiresAtMs: number): CacheOutcome {
    return { kind: "hit", layer, ttlS: Math.max(0, Math.floor((expiresAtMs - this.#deps.nowMs()) / 1000)) };
  }
}

/** How a call that was not answered from the cache is reported. */
export function forwarded(wish: CacheWish, cacheable: boolean): CacheOutcome {
  if (!cacheable || !wish.store) return { kind: "forward", why: "bypass", stored: false };
  return { kind: "forward", why: wish.lookup ? "miss" : "request", stored: true };
}
