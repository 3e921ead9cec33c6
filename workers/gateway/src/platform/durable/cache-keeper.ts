import { DurableObject } from "cloudflare:workers";
import {
  type CacheAuditRow,
  type CacheChange,
  type CacheState,
  fail,
  type Keyring,
  ok,
  type Result,
} from "@ledge/contract";
import { cacheStep, firstKeyring, rotatedKeyring } from "@ledge/policy";
import { toBase64 } from "../../base64.ts";
import type { OperatorEnv } from "../../env.ts";
import type { CacheDone, KeySummary } from "../../operate/ports.ts";
import type { AuditQuery, HashedRow } from "./audit-log.ts";
import { isBehind, isPublished, publishCache } from "./cache-publish.ts";
import { CacheStore } from "./cache-store.ts";
import { Waiters } from "./waiters.ts";

/** KV takes one write a second to a key: changes that come faster are published together. */
const publishEveryMs = 1_000;
const retryMsMax = 30_000;
/** Longest that a change's caller waits to hear that it is published. */
const publishedWithinMs = 2_500;
const changesShown = 100;
/** Who reports a wrong answer changes no rule: that is no operator's doing. */
const byCaller = "caller";

/**
 * The one owner of the answer cache's rules, purges and key salts: load, decide (`cacheStep`), save in one transaction,
 * publish. Publishing is the alarm's: it is set in the same write as the change, so a change that was saved is published
 * whatever dies in between.
 */
export class CacheKeeper extends DurableObject<OperatorEnv> {
  readonly #store: CacheStore;
  #state: CacheState;
  #failures = 0;
  readonly #waiters = new Waiters();

  constructor(ctx: DurableObjectState, env: OperatorEnv) {
    super(ctx, env);
    this.#store = new CacheStore(ctx.storage.sql);
    this.#state = this.#store.load();
    if (this.#isBehind()) this.#publishSoon();
  }

  /**
   * Whoever purges or changes keys waits until that is published, {@link publishedWithinMs} at most: then it will be.
   * `changed` is false when what was asked for is so already. Errors: those of `cacheStep`; `cache_keys_not_found`.
   */
  async change(change: CacheChange, who: string): Promise<Result<CacheDone>> {
    const before = this.#state.number;
    const done = this.#take(change, who, Date.now());
    if (!done.ok) return done;
    const { number } = this.#state;
    if (number === before) return ok({ number, changed: false, published: !this.#isBehind() });
    this.#publishSoon();
    if (change.kind === "set-policy") return ok({ number, changed: true, published: false });
    const tenant = change.kind === "purge" ? undefined : change.tenant;
    const isSo = () => isPublished(this.#store, number, tenant);
    return ok({ number, changed: true, published: await this.#waiters.until(isSo, publishedWithinMs) });
  }

  state(): CacheState {
    return this.#state;
  }

  /** For a gateway that knows another number. */
  newerThan(number: number): CacheState | undefined {
    return this.#state.number > number ? this.#state : undefined;
  }

  audit(query: AuditQuery): readonly HashedRow[] {
    return this.#store.log.read(query);
  }

  /** The last hundred, ascending. */
  changes(): readonly CacheAuditRow[] {
    return this.#store.audit(changesShown);
  }

  /**
   * What a tenant's keys are made from, made now when there is nothing: as after change `atLeast`, which is one that a
   * gateway has heard of.
   *
   * @throws for a name that two tenants would share once it is written as UTF-8.
   */
  keyring(tenant: string, atLeast: number): Keyring {
    if (/\p{Cs}/u.test(tenant)) throw new Error("a tenant's name is not well-formed text");
    const known = this.#store.keyring(tenant);
    if (known !== undefined) return known;
    const number = Math.max(atLeast, this.#keysChanged(tenant));
    const made = firstKeyring(tenant, number, newSalt(), newSalt(), Date.now());
    this.#store.saveKeyring(made);
    this.#publishSoon();
    return made;
  }

  /** Without the salts; none before the tenant's first call. */
  keys(tenant: string): readonly KeySummary[] {
    return this.#store.keyring(tenant)?.sealing.map(({ id, createdAtMs }) => ({ id, createdAtMs })) ?? [];
  }

  override async alarm(): Promise<void> {
    try {
      await publishCache(this.env.SNAPSHOTS, this.#store, this.#state);
      this.#store.setMeta("publishedAtMs", Date.now());
      this.#failures = 0;
    } catch (error) {
      const inMs = Math.min(publishEveryMs * 2 ** this.#failures++, retryMsMax);
      console.error(JSON.stringify({ cache: "the cache's rules could not be published", inMs, cause: String(error) }));
      await this.ctx.storage.setAlarm(Date.now() + inMs);
      return;
    } finally {
      this.#waiters.tell();
    }
    if (this.#isBehind()) this.#publishSoon();
  }

  #take(change: CacheChange, who: string, atMs: number): Result<true> {
    const keyring = "tenant" in change ? this.#store.keyring(change.tenant) : undefined;
    if ("tenant" in change && keyring === undefined) {
      return change.kind === "rotate-keys" ? fail("cache_keys_not_found") : ok(true);
    }
    const step = cacheStep(this.#state, change, atMs);
    if (!step.ok) return step;
    const { state, audit } = step.value;
    if (audit === undefined) return ok(true);
    this.ctx.storage.transactionSync(() => {
      this.#store.save(this.#state, state);
      const keys = keyring === undefined ? {} : this.#changeKeys(change, keyring, state.number, atMs);
      const said = { who, ...audit, ...keys };
      this.#store.addAudit({ number: state.number, at: new Date(atMs).toISOString(), ...said });
      if (who !== byCaller) this.#store.log.add({ number: state.number, atMs, ...said });
    });
    this.#state = state;
    return ok(true);
  }

  /** What the list of changes says of it: ids, never a salt. */
  #changeKeys(change: CacheChange, keyring: Keyring, number: number, atMs: number) {
    const from = keyring.sealing.map(({ id }) => id);
    if (change.kind === "destroy-keys") {
      this.#store.destroyKeyring(change.tenant);
      return { from, to: null };
    }
    if (change.kind !== "rotate-keys") return {};
    const rotated = rotatedKeyring(keyring, number, newSalt(), atMs);
    this.#store.saveKeyring(rotated);
    return { from, to: rotated.sealing.map(({ id }) => id) };
  }

  #keysChanged(tenant: string): number {
    const { keys } = this.#state;
    return Object.hasOwn(keys, tenant) ? (keys[tenant] ?? 0) : 0;
  }

  #isBehind(): boolean {
    return isBehind(this.#store, this.#state);
  }

  /** Not awaited: what is written without an `await` in between reaches the disk together, and is there before an answer leaves. */
  #publishSoon(): void {
    const earliestMs = (this.#store.meta("publishedAtMs") ?? 0) + publishEveryMs;
    void this.ctx.storage.setAlarm(Math.max(Date.now(), earliestMs));
  }
}

function newSalt(): string {
  return toBase64(crypto.getRandomValues(new Uint8Array(32)));
}
