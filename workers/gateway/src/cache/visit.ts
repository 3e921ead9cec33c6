import type { Fault } from "@ledge/contract";
import {
  type CacheForward,
  type CacheLayer,
  type CacheOutcome,
  type CacheRule,
  freshnessOf,
  identityText,
  keepS,
  mayServeStale,
  semanticRule,
} from "@ledge/policy";
import { inTime } from "../in-time.ts";
import type { CacheDeps } from "./answers.ts";
import type { CacheCall, Found, Miss } from "./call.ts";
import { etagOf } from "./etag.ts";
import type { Address, Entry, Slot } from "./ports.ts";
import type { RuleBook } from "./rule-book.ts";
import { Near } from "./semantic/near.ts";
import type { TenantKeys } from "./vault.ts";

/** A layer that takes longer has no answer. Milliseconds. */
const farMsMax = 500;
/** A refresh that has not ended by then has died. Milliseconds. */
const refreshMsMax = 30_000;
const refreshingMax = 1_000;

interface Best {
  readonly entry: Entry;
  readonly layer: CacheLayer;
}

/** One call's visit to the cache, by the rules that were known when it began. */
export class Visit {
  readonly #deps: CacheDeps;
  readonly #refreshing: Map<string, number>;
  readonly #call: CacheCall;
  readonly #book: RuleBook;
  readonly #rule: CacheRule;
  readonly #text: string;
  /** The best that was found, fresh or not. */
  #best: Best | undefined;
  #unsealed = false;

  constructor(deps: CacheDeps, refreshing: Map<string, number>, call: CacheCall, book: RuleBook) {
    this.#deps = deps;
    this.#refreshing = refreshing;
    this.#call = call;
    this.#book = book;
    this.#rule = book.ruleOf(call.identity);
    this.#text = this.#textOf(call.identity.input);
  }

  #textOf(input: string): string {
    const { identity, wish, header } = this.#call;
    const vary = this.#rule.vary.map((name) => [name, header(name)] as const);
    return identityText({ ...identity, input, partition: wish.partition, vary });
  }

  /** A fresh answer in the isolate's memory: found without a hash, a key or a hop. */
  near(): Found | undefined {
    if (!this.#call.wish.lookup) return undefined;
    const { memory } = this.#deps;
    const entry = memory.find(this.#text);
    if (entry === undefined || !this.#isValid(entry, true)) return undefined;
    this.#best = { entry, layer: memory.name };
    return this.#freshness(entry).kind === "fresh" ? this.#found(this.#best) : undefined;
  }

  /** What lies beyond, or how to go on without; `undefined` when the tenant's keys cannot be had. */
  async far(): Promise<Found | Miss | undefined> {
    const { vault } = this.#deps;
    const { tenant, model, version } = this.#call.identity;
    const keys = await vault.keysOf(tenant, this.#book.keysNumberOf(tenant), () => {
      this.#unsealed = true;
    });
    if (keys === undefined) return undefined;
    const id = this.#best?.entry.id ?? (await keys.name(this.#text));
    const slot = keys.slot(id, this.#book.epochOf({ tenant, model, version, id }));
    const address = { text: this.#text, slot };
    if (this.#call.wish.lookup) await this.#lookBeyond(address);
    const miss = this.#miss(id, address);
    const best = this.#best;
    const freshness = best && this.#freshness(best.entry);
    if (best === undefined || freshness === undefined || freshness.kind === "spent") {
      const near = this.#near(id, keys);
      return near === undefined ? miss : { ...miss, near };
    }
    const found = this.#found(best, freshness.kind === "stale" && !freshness.asked);
    const refresh = freshness.kind === "stale" && freshness.refresh && !this.#call.wish.onlyIfCached;
    if (!refresh || !this.#mayRefresh(slot)) return found;
    // A refresh is for what is younger than what lies here.
    const flight = miss.flight && { ...miss.flight, landedAfterMs: this.#deps.nowMs() };
    return { ...found, refresh: { ...miss, ...(flight === undefined ? {} : { flight }) } };
  }

  async #lookBeyond(address: Address): Promise<void> {
    const { far, memory } = this.#deps;
    const entry = await inTime(farMsMax, far.get(address));
    if (entry === "unsealed") this.#unsealed = true;
    if (entry === undefined || entry === "unsealed" || !this.#isValid(entry, false)) return;
    if (this.#best !== undefined && this.#best.entry.createdAtMs >= entry.createdAtMs) return;
    this.#best = { entry, layer: far.name };
    // By these rules it is valid, so only what is purged later can end it.
    const number = Math.max(entry.number, this.#book.state.number);
    void memory.put(address, { ...entry, number }, this.#keepS(entry));
  }

  /** Whether nothing that it belongs to was purged since; in memory, too, whether the tenant's keys are what they were. */
  #isValid({ number, id, tags }: Entry, near: boolean): boolean {
    const { tenant, model, version } = this.#call.identity;
    if (near && number < this.#book.keysNumberOf(tenant)) return false;
    return this.#book.outlives(number, { tenant, model, version, id, tags });
  }

  #freshness(entry: Entry) {
    return freshnessOf(entry, this.#rule, this.#call.wish, this.#deps.nowMs());
  }

  /** What was found, as an answer; `overdue`: stale, without the caller's having asked for that. */
  #found({ entry, layer }: Best, overdue = false): Found {
    const outcome: CacheOutcome = {
      kind: "hit",
      layer,
      ...this.#age(entry),
      id: entry.id,
      etag: entry.etag,
      ...(overdue ? { stale: "stale-while-revalidate" } : {}),
      ...this.alarm(),
    };
    return { kind: "found", value: entry.value, outcome };
  }

  #miss(id: string, address: Address): Miss {
    const { wish } = this.#call;
    const forward = (more: Partial<CacheForward>): CacheOutcome => {
      const why = wish.lookup ? "miss" : "request";
      return { kind: "forward", why, stored: false, id, ...this.alarm(), ...more };
    };
    const flight = this.#flight(address.slot);
    return {
      kind: "miss",
      ...(flight === undefined ? {} : { flight }),
      outcome: forward({ why: "bypass" }),
      stored: forward({ stored: true }),
      collapsed: forward({ collapsed: true }),
      keep: (value) => {
        const etag = this.#keep(value, id, address);
        if (etag === undefined) return forward({ why: "bypass", detail: "too-large" });
        return { ...forward({ stored: true }), etag };
      },
      insteadOf: (fault) => this.#insteadOf(fault),
    };
  }

  #near(id: string, keys: TenantKeys): Near | undefined {
    const { identity, wish, waitUntil } = this.#call;
    const rule = semanticRule(this.#rule, wish);
    const prompt = rule === undefined || !wish.lookup ? undefined : this.#call.prompt?.();
    if (rule === undefined || prompt === undefined) return undefined;
    const { tenant, model, version } = identity;
    const scopes = { tenant, model, version };
    const context = this.#textOf(prompt.context);
    return new Near({
      index: this.#deps.index,
      rule,
      prompt: prompt.text,
      id,
      freshUntilMs: () => this.#deps.nowMs() + this.#ttlS() * 1000,
      indexOf: (embedder) => keys.indexOf(`${embedder}|${context}`, this.#book.epochOf(scopes)),
      keys: () => keys.promptKeys(),
      read: async (other) => {
        const slot = keys.slot(other, this.#book.epochOf({ ...scopes, id: other }));
        const { far } = this.#deps;
        const entry = await inTime(farMsMax, far.get({ text: "", slot }));
        if (entry === "unsealed") this.#unsealed = true;
        if (entry === undefined || entry === "unsealed" || !this.#isValid(entry, false)) return undefined;
        if (this.#freshness(entry).kind !== "fresh") return undefined;
        const { value, outcome } = this.#found({ entry, layer: far.name });
        return (semantic) => ({ kind: "found", value, outcome: { ...outcome, id, semantic } as CacheOutcome });
      },
      waitUntil,
    });
  }

  #flight({ key }: Slot) {
    const { wish, waitUntil, reach } = this.#call;
    const { collapse = reach } = this.#rule;
    // Who wants a fresh answer does not take one that was asked for before.
    if (collapse === "off" || !wish.lookup) return undefined;
    const { maxAgeS = Number.POSITIVE_INFINITY, minFreshS = 0 } = wish;
    // What lies there does not do for this call, so what landed with it does not either.
    const ageSMax = this.#best === undefined ? Math.min(this.#ttlS() - minFreshS, maxAgeS) : 0;
    // Who wants it fresh for longer than any answer is gets what is being made now.
    // Nobody knows the tags of what others are fetching: who has heard of a purge by any tag does not wait for who has not.
    const epoch = this.#book.tagsEpochOf(this.#call.identity.tenant);
    return {
      slot: `${key}:${epoch}`,
      reach: collapse,
      landedAfterMs: this.#deps.nowMs() - Math.max(0, ageSMax) * 1000,
      waitUntil,
    };
  }

  #keep(value: unknown, id: string, address: Address): string | undefined {
    const { memory, store, digests, nowMs } = this.#deps;
    const { wish, waitUntil } = this.#call;
    const json = JSON.stringify(value);
    if (isLarger(json, this.#rule.entryBytesMax)) return undefined;
    const createdAtMs = nowMs();
    const freshUntilMs = createdAtMs + this.#ttlS() * 1000;
    const etag = etagOf(json, digests);
    const { number } = this.#book.state;
    const entry = { id, value, chars: json.length, etag, number, createdAtMs, freshUntilMs, tags: wish.tags };
    this.#refreshing.delete(address.slot.key);
    void memory.put(address, entry, this.#keepS(entry));
    waitUntil(store.put(address, entry, this.#keepS(entry)).catch(() => undefined));
    return etag;
  }

  #ttlS(): number {
    return this.#call.wish.ttlS ?? this.#rule.ttlS;
  }

  #insteadOf(fault: Fault): Found | undefined {
    const entry = this.#best?.entry;
    if (entry === undefined || !mayServeStale(fault)) return undefined;
    const freshness = this.#freshness(entry);
    if (freshness.kind === "spent" && !freshness.ifError) return undefined;
    const failed = { code: fault.code, ...this.#age(entry) };
    const { id, etag } = entry;
    const outcome = { kind: "forward", why: "stale", stored: false, failed, id, etag, ...this.alarm() } as const;
    return { kind: "found", value: entry.value, outcome };
  }

  #mayRefresh({ key }: Slot): boolean {
    const nowMs = this.#deps.nowMs();
    if ((this.#refreshing.get(key) ?? 0) > nowMs) return false;
    if (this.#refreshing.size >= refreshingMax) this.#refreshing.clear();
    this.#refreshing.set(key, nowMs + refreshMsMax);
    return true;
  }

  #keepS({ createdAtMs, freshUntilMs }: Pick<Entry, "createdAtMs" | "freshUntilMs">): number {
    return keepS(Math.ceil((freshUntilMs - createdAtMs) / 1000), this.#rule);
  }

  #age({ createdAtMs, freshUntilMs }: Entry) {
    const nowMs = this.#deps.nowMs();
    return {
      ttlS: Math.floor((freshUntilMs - nowMs) / 1000),
      ageS: Math.max(0, Math.floor((nowMs - createdAtMs) / 1000)),
    };
  }

  /** For how the call is reported: something lies in a store that is not what was put there. */
  alarm(): { readonly unsealed?: true } {
    return this.#unsealed ? { unsealed: true } : {};
  }
}

/** Whether the text takes more bytes of UTF-8, counted only where it may matter. */
function isLarger(text: string, bytesMax: number): boolean {
  return text.length > bytesMax || (text.length * 3 > bytesMax && encoder.encode(text).length > bytesMax);
}

const encoder = new TextEncoder();
