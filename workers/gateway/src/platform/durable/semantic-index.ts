import { DurableObject } from "cloudflare:workers";
import { codesOf, disagreement, NearestIndex, type Neighbour } from "@ledge/policy";
import type {
  KeptPrompt,
  NearAnswer,
  NearAsk,
  NearCandidate,
  SealingKey,
  SealingKeys,
} from "../../cache/semantic/ports.ts";
import { Loads } from "./semantic-loads.ts";
import { newRows } from "./semantic-rows.ts";
import { EntrySeals, keyNamed } from "./semantic-seal.ts";
import { type SealedRow, SemanticStore } from "./semantic-store.ts";

/** 44 MB of an isolate's 128 at 384 dimensions; other indexes may share the isolate. */
const entriesMaxMax = 100_000;
const candidatesMax = 32;
/** Entries looked at for the candidates wanted: near ones often differ in a word that matters. */
const lookedAtMax = 32;
/** Of those, opened first, and often enough: opening one and comparing its words costs as much as comparing thousands of vectors. */
const openedFirst = 4;
/** Of a prompt and its slot, UTF-16 code units: a row of SQLite here holds 2 MB. */
const charsMax = 32_768;
/** Rows that are opened in one go: some milliseconds, then calls have their turn. */
const sliceRows = 200;
/** Expired entries leave the disk at the latest after so long. */
const sweepEveryMs = 3_600_000;
/** Expired entries that a call clears away, or a sweep in one go. */
const clearedByCall = 50;
const clearedBySweep = 5_000;

/** What an index holds, for the operator and for tests. */
export interface SemanticIndexSize {
  readonly entries: number;
  /** Of them in memory, where alone they are found. */
  readonly loaded: number;
  /** Of memory: typed arrays. */
  readonly bytes: number;
  readonly diskBytes: number;
  /** Entries that did not open and were dropped, since the object began. */
  readonly unreadable: number;
}

/**
 * The prompts of one tenant, model, context and epoch by what they mean: sealed rows on disk, their vectors in memory. The keys come
 * with each call and stay in memory only, so an object that was evicted reads its rows back at the first call that brings
 * the key, a slice at a time; until then it finds nothing. It deletes itself when its last entry has expired.
 */
export class SemanticIndex extends DurableObject<SemanticBindings> {
  readonly #store: SemanticStore;
  readonly #seals = new EntrySeals();
  #near: NearestIndex | undefined;
  /** Whether this object began without rows: then all there are were added to memory as well. */
  #whole: boolean;
  /** Entries that did not open, and of which no caller has been told. */
  #unreadable = 0;
  readonly #loads: Loads;

  constructor(ctx: DurableObjectState, env: SemanticBindings) {
    super(ctx, env);
    this.#store = new SemanticStore(ctx.storage.sql);
    this.#whole = this.#store.count === 0;
    this.#loads = new Loads((key) => this.#load(key), ctx);
  }

  async find(ask: NearAsk): Promise<NearAnswer> {
    if (!this.#whole && !(await this.#loads.done(ask.keys))) return { ready: false, candidates: [], unreadable: 0 };
    let found = await this.#look(ask);
    // What was expired or broken is gone now, and no longer stands before what is good.
    for (let again = 0; again < 3 && found.dropped > 0; again++) found = await this.#look(ask);
    const unreadable = this.#unreadable;
    this.#unreadable = 0;
    return { ready: true, candidates: found.candidates, unreadable };
  }

  /** Keeps an entry, and answers whether it did: not one that is too long, has expired, or has other dimensions. */
  async add({ keys, entry, entriesMax }: KeptPrompt): Promise<boolean> {
    const { id, prompt, slot, expiresAtMs } = entry;
    const codes = codesOf(entry.vector);
    const room = Math.min(entriesMax, entriesMaxMax);
    if (codes === undefined || room < 1 || prompt.length + slot.length > charsMax) return false;
    const [key] = keys;
    const sealed = await this.#seals.seal(key, this.#place(id, key.id, expiresAtMs), { codes, prompt, slot });
    const nowMs = Date.now();
    const known = this.#store.dimensions;
    if (expiresAtMs <= nowMs || (this.#store.count > 0 && known !== codes.length)) return false;
    const { number, gone } = this.ctx.storage.transactionSync(() => {
      this.#store.create();
      this.#store.writeUses();
      const before = this.#store.remove(id);
      const expired = this.#store.removeExpired(nowMs, clearedByCall);
      const least = this.#store.removeLeast(this.#store.count + 1 - room);
      const added = this.#store.insert({ id, keyId: key.id, sealed, expiresAtMs }, codes.length, nowMs);
      return { number: added, gone: [...expired, ...least, ...(before === undefined ? [] : [before])] };
    });
    for (const other of gone) this.#near?.remove(other);
    this.#remember(number, codes);
    if ((await this.ctx.storage.getAlarm()) === null) await this.#setAlarm(nowMs);
    return true;
  }

  remove(id: string): boolean {
    const number = this.#store.remove(id);
    if (number === undefined) return false;
    this.#near?.remove(number);
    return true;
  }

  used(id: string): void {
    this.#store.use(id, Date.now());
  }

  size(): SemanticIndexSize {
    const { count: entries, unreadable } = this.#store;
    const { databaseSize: diskBytes } = this.ctx.storage.sql;
    return { entries, unreadable, loaded: this.#near?.size ?? 0, bytes: this.#near?.bytes ?? 0, diskBytes };
  }

  override async alarm(): Promise<void> {
    const nowMs = Date.now();
    this.#store.writeUses();
    const gone = this.#store.removeExpired(nowMs, clearedBySweep);
    for (const number of gone) this.#near?.remove(number);
    if (this.#store.count > 0) {
      await this.#setAlarm(nowMs);
      return;
    }
    this.#near = undefined;
    this.#whole = true;
    this.#store.forget();
    await this.ctx.storage.deleteAll();
  }

  /** Opens the nearest, a few and then the others, until as many as wanted do not differ by their words. */
  async #look({ keys, k, vector, prompt, similarityMin = -1 }: NearAsk) {
    const wanted = Math.min(k, candidatesMax);
    const lookedAt = prompt === undefined ? wanted : lookedAtMax;
    const found = this.#near?.dimensions === vector.length ? this.#near.search(vector, lookedAt) : [];
    const nearest = found.filter(({ similarity }) => similarity >= similarityMin);
    const candidates: NearCandidate[] = [];
    let dropped = 0;
    const few = Math.max(openedFirst, wanted);
    for (const some of [nearest.slice(0, few), nearest.slice(few)]) {
      if (some.length === 0 || candidates.length === wanted) break;
      for (const one of await this.#openAll(some, keys)) {
        if (one === "gone") dropped++;
        else if (one === "locked" || candidates.length === wanted) continue;
        else if (prompt === undefined || !disagreement(prompt, one.prompt)) candidates.push(one);
      }
    }
    return { candidates, dropped };
  }

  #openAll(nearest: readonly Neighbour[], keys: SealingKeys): Promise<(NearCandidate | "gone" | "locked")[]> {
    const rows = this.#store.rowsNumbered(nearest.map(({ id }) => id));
    const nowMs = Date.now();
    return Promise.all(
      nearest.map(async ({ id: number, similarity }) => {
        const row = rows.get(number);
        if (row === undefined || row.expiresAtMs <= nowMs) {
          this.#drop(number);
          return "gone";
        }
        const key = keyNamed(keys, row.keyId);
        if (key === undefined) return "locked";
        const content = await this.#open(key, row);
        if (content === undefined) return "gone";
        const { id, expiresAtMs } = row;
        return { id, similarity, prompt: content.prompt, slot: content.slot, expiresAtMs };
      }),
    );
  }

  async #load(key: SealingKey): Promise<void> {
    for (let after = 0; ; ) {
      const rows = this.#store.rowsOfKey(key.id, after, sliceRows);
      const contents = await Promise.all(rows.map((row) => this.#open(key, row)));
      const last = rows.at(-1)?.number ?? after;
      // Some may have been removed while they were opened.
      const there = this.#store.numbersFrom(after, last);
      for (const [at, { number }] of rows.entries()) {
        const content = contents[at];
        if (content !== undefined && there.has(number)) this.#remember(number, content.codes);
      }
      if (rows.length < sliceRows) return;
      after = last;
      await scheduler.wait(0);
    }
  }

  /** What a row says; one that does not open is dropped and counted. */
  async #open(key: SealingKey, row: SealedRow) {
    const content = await this.#seals.open(key, this.#place(row.id, row.keyId, row.expiresAtMs), row.sealed);
    if (content !== undefined) return content;
    this.#drop(row.number);
    this.#store.countUnreadable(1);
    this.#unreadable++;
    console.error(
      JSON.stringify({ semanticIndex: "an entry does not open: changed, or in another's place", id: row.id }),
    );
    return undefined;
  }

  #drop(number: number): void {
    this.#store.removeNumber(number);
    this.#near?.remove(number);
  }

  #remember(number: number, codes: Int8Array): void {
    if (this.#near === undefined || this.#near.size === 0) {
      this.#near = new NearestIndex(codes.length, newRows(codes.length));
    }
    this.#near.add(number, codes);
  }

  #place(id: string, keyId: string, expiresAtMs: number) {
    return { object: this.ctx.id.toString(), id, keyId, expiresAtMs };
  }

  /** When the last entry expires, or for the next sweep before that. */
  async #setAlarm(nowMs: number): Promise<void> {
    await this.ctx.storage.setAlarm(Math.max(nowMs, Math.min(this.#store.lastExpiryMs(), nowMs + sweepEveryMs)));
  }
}
