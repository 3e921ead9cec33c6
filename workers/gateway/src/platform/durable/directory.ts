import { DurableObject } from "cloudflare:workers";
import {
  type DirectoryAdmin,
  type DirectoryChange,
  type DirectoryKey,
  type DirectoryMember,
  type DirectoryProject,
  type DirectoryTenant,
  ok,
  type Result,
  type Terms,
} from "@ledge/contract";
import { type DirectoryWrite, directoryStep } from "@ledge/policy";
import type { OperatorEnv } from "../../env.ts";
import type { DirectoryDone, TenantFacts } from "../../operate/ports.ts";
import { keyedHash } from "../digests.ts";
import type { AuditQuery, HashedRow } from "./audit-log.ts";
import { publishDirectory } from "./directory-publish.ts";
import { DirectoryStore, type KeyFilter } from "./directory-store.ts";
import { Waiters } from "./waiters.ts";

const retryMs = 1_000;
const retryMsMax = 30_000;
/** Longest that a change's caller waits to hear that it is published. */
const publishedWithinMs = 2_500;

/**
 * The one owner of tenants, projects, members, keys, terms and admin credentials: load, decide (`directoryStep`), save in one
 * transaction with its rows of the audit, publish. Publishing begins at once, because a new key is wanted now; an alarm that
 * is set in the same write does it again should anything die in between.
 */
export class Directory extends DurableObject<OperatorEnv> {
  readonly #store: DirectoryStore;
  readonly #waiters = new Waiters();
  #publishing: Promise<void> | undefined;
  #failures = 0;

  constructor(ctx: DurableObjectState, env: OperatorEnv) {
    super(ctx, env);
    this.#store = new DirectoryStore(ctx.storage.sql);
    if (this.#isBehind()) this.#publishSoon(0);
  }

  /** Waits until the change is published, {@link publishedWithinMs} at most: then it will be. Errors: those of `directoryStep`. */
  async change(change: DirectoryChange, who: string): Promise<Result<DirectoryDone>> {
    const atMs = Date.now();
    const step = directoryStep(this.#store, change, atMs);
    if (!step.ok) return step;
    const { writes, audit } = step.value;
    if (audit.length === 0) return ok({ changed: false, published: !this.#isBehind(), ended: [] });
    const ended = writes.flatMap((write) => this.#endedBy(write));
    const entries = this.ctx.storage.transactionSync(() => {
      const first = this.#store.log.number() + 1;
      for (const [i, row] of audit.entries()) this.#store.log.add({ number: first + i, atMs, who, ...row });
      return writes.flatMap((write) => this.#store.write(write));
    });
    if (entries.length > 0) this.#publishSoon(retryMs);
    void this.#publish();
    const isSo = () => !entries.some((key) => this.#store.isUnpublished(key));
    return ok({ changed: true, published: await this.#waiters.until(isSo, publishedWithinMs), ended });
  }

  tenant(name: string): TenantFacts | undefined {
    const tenant = this.#store.tenant(name);
    return tenant === undefined ? undefined : this.#factsOf(tenant);
  }

  /** By name, after one. */
  tenants(after: string, limit: number): readonly TenantFacts[] {
    return this.#store.tenants(after, limit).map((tenant) => this.#factsOf(tenant));
  }

  /** `undefined` where there is no such tenant. */
  projects(tenant: string): readonly DirectoryProject[] | undefined {
    return this.#store.tenant(tenant) === undefined ? undefined : this.#store.projects(tenant);
  }

  members(tenant: string): readonly DirectoryMember[] | undefined {
    return this.#store.tenant(tenant) === undefined ? undefined : this.#store.members(tenant);
  }

  key(id: string): DirectoryKey | undefined {
    return this.#store.key(id);
  }

  keys(filter: KeyFilter): readonly DirectoryKey[] {
    return this.#store.keys(filter);
  }

  admins(): readonly DirectoryAdmin[] {
    return this.#store.admins();
  }

  adminByHash(hash: string): DirectoryAdmin | undefined {
    return this.#store.adminByHash(hash);
  }

  terms(): Terms {
    return this.#store.terms();
  }

  audit(query: AuditQuery): readonly HashedRow[] {
    return this.#store.log.read(query);
  }

  /** Where a tenant's events go, and what signs them: made from the pepper, so that it is kept nowhere. */
  webhook(tenant: string): { readonly url: string; readonly secret: string } | undefined {
    const webhook = this.#store.tenant(tenant)?.webhook;
    if (webhook?.url === undefined) return undefined;
    const secret = keyedHash(this.env.KEY_PEPPER)(`webhook:${webhook.secret}:${tenant}`);
    return { url: webhook.url, secret: `whsec_${secret}` };
  }

  override async alarm(): Promise<void> {
    await this.#publish();
  }

  #factsOf(tenant: DirectoryTenant): TenantFacts {
    return { ...tenant, ...this.#store.counts(tenant.tenant) };
  }

  /** Keys that a write ends. */
  #endedBy(write: DirectoryWrite): readonly string[] {
    if (write.entry === "key" && write.is.revokedAtMs !== undefined) return [write.is.id];
    if (write.entry === "tenant" && write.is === null) return this.#store.keysOf(write.tenant).map(({ id }) => id);
    return [];
  }

  #isBehind(): boolean {
    return this.#store.unpublished(1).length > 0;
  }

  /** One at a time, so that of two values of an entry the older never lands on the newer. Never rejects. */
  #publish(): Promise<void> {
    this.#publishing ??= this.#publishAll().finally(() => {
      this.#publishing = undefined;
    });
    return this.#publishing;
  }

  async #publishAll(): Promise<void> {
    try {
      while (this.#isBehind()) {
        await publishDirectory(this.env.KEYS, this.#store);
        this.#waiters.tell();
      }
      this.#failures = 0;
    } catch (error) {
      const inMs = Math.min(retryMs * 2 ** this.#failures++, retryMsMax);
      console.error(JSON.stringify({ directory: "an entry could not be published", inMs, cause: String(error) }));
      this.#publishSoon(inMs);
    }
  }

  /** Not awaited: what is written without an `await` in between reaches the disk together, and is there before an answer leaves. */
  #publishSoon(inMs: number): void {
    void this.ctx.storage.setAlarm(Date.now() + inMs);
  }
}
