import { DurableObject } from "cloudflare:workers";
import {
  type Amount,
  type LedgerAnswer,
  type LedgerEvent,
  type LedgerMessage,
  type LedgerRow,
  type LedgerRules,
  ledgerRow,
  nothing,
  ok,
  type ReconcileAnswer,
  type Terms,
} from "@ledge/contract";
import {
  defaultTerms,
  grant,
  minus,
  most,
  plus,
  type QuotaWindow,
  quotaUse,
  quotaWindows,
  reached,
} from "@ledge/policy";
import type { OperatorEnv } from "../../env.ts";
import type { TenantUsage } from "../../ports.ts";
import { csvOf, csvType, jsonType, usageAnswerOf } from "../../usage-lines.ts";
import { readUsageQuery, type UsageQuery } from "../../usage-query.ts";
import { LedgerEvents } from "./ledger-events.ts";
import { isolateOf, readJournal, rowOfEntry } from "./ledger-journal.ts";
import { LedgerLeases } from "./ledger-leases.ts";
import { LedgerRows } from "./ledger-rows.ts";
import { quotaStates, usageGroups } from "./ledger-usage.ts";
import { tell, type WebhookConfig } from "./webhook.ts";

/** How often a ledger in use is held against the origin's journal. */
const reconcileEveryMs = 10 * 60_000;
const reconcileAgainMs = 60_000;
/** A call that has been over for less may still be told by its isolate. */
const pruneEveryMs = 3_600_000;
/** Pages of a journal read at once. */
const pagesMax = 200;

interface Named {
  readonly tenant: string;
  readonly rules: LedgerRules;
}

/**
 * One tenant's ledger: a row a call, and what of its quotas is used and on lease. All that a message changes is changed in one
 * transaction, so nothing that dies leaves half of it.
 */
export class Ledger extends DurableObject<OperatorEnv> {
  readonly #rows: LedgerRows;
  readonly #leases: LedgerLeases;
  readonly #events: LedgerEvents;
  #named: Named | undefined;
  /** Names of events, to spare the look whether they were raised. */
  readonly #raised = new Set<string>();
  #alarmMs = Number.POSITIVE_INFINITY;

  constructor(ctx: DurableObjectState, env: OperatorEnv) {
    super(ctx, env);
    this.#rows = new LedgerRows(ctx.storage.sql);
    this.#leases = new LedgerLeases(ctx.storage.sql);
    this.#events = new LedgerEvents(ctx.storage.sql);
    this.#named = this.#meta<Named>("named");
    if (this.#named !== undefined) this.#rows.setTimeZone(this.#named.rules.timeZone);
  }

  /** Takes a message once, however often it comes; every time it gets the same answer. */
  async report(tenant: string, message: LedgerMessage): Promise<LedgerAnswer> {
    const nowMs = Date.now();
    const answer = this.ctx.storage.transactionSync(() => this.#take(tenant, message, nowMs));
    await this.#wakeBy(nowMs);
    return answer;
  }

  #take(tenant: string, message: LedgerMessage, nowMs: number): LedgerAnswer {
    const { isolate, number, rows, keeps, keepsUntilMs, demands, ahead } = message;
    const known = this.#leases.answerTo(isolate, number);
    if (known !== undefined) return known;
    this.#name(tenant, message.rules);
    // It speaks: what was taken for used when it was silent is told now, or still held.
    this.#rows.setUnreported(isolate, nowMs, nothing);
    for (const row of rows) this.#addRow(row);
    const windows = this.#windows(nowMs);
    const leased = plus(this.#leases.heldByOthers(isolate), keeps);
    const given = grant(windows, leased, demands, ahead);
    const answer = { refusedUntilMs: given.refusedUntilMs, ahead: given.ahead };
    this.#leases.save(isolate, number, answer, { untilMs: keepsUntilMs, amount: plus(keeps, given.granted) });
    this.#raise(windows, given.exhausted, nowMs);
    return answer;
  }

  /** When each of these keys was used last: the beginning of that hour, milliseconds since 1970. */
  lastUsed(keys: readonly string[]): Readonly<Record<string, number>> {
    return this.#rows.lastUsed(keys);
  }

  /** One that is wrong would have its message fail for ever: it is told to the operator instead. */
  #addRow(row: LedgerRow): void {
    if (ledgerRow.safeParse(row).success) this.#rows.add(row, "edge");
    else console.error(JSON.stringify({ ledger: "what an isolate told is no row", id: row.id }));
  }

  /** What of a report is this tenant's. Others are answered while a long one is made. */
  async usage(tenant: string, query: UsageQuery): Promise<TenantUsage> {
    return {
      groups: await usageGroups(this.#rows, tenant, query, this.#named?.rules.timeZone ?? "UTC"),
      unreported: this.#rows.unreportedBetween(query.fromMs, query.toMs),
      quotas: quotaStates(this.#windows(Date.now()), this.#leases.heldByOthers("")),
    };
  }

  /** A caller's report, made here because this is not the gateway. Errors: `invalid_request`. */
  async callersUsage(tenant: string, search: string, only: { readonly key?: string; readonly user?: string }) {
    const asked = readUsageQuery(new URLSearchParams(search), "model", Date.now());
    if (!asked.ok) return asked;
    const query = { ...asked.value, only: { ...asked.value.only, ...only } };
    const terms = await this.env.KEYS.get<Terms>("terms:current", "json");
    const answer = usageAnswerOf(query, [await this.usage(tenant, query)], terms?.currency ?? defaultTerms.currency);
    return ok(query.csv ? { type: csvType, text: csvOf(answer) } : { type: jsonType, text: JSON.stringify(answer) });
  }

  /** Rows after a place, oldest first (`LedgerRows.page`). */
  rows(after: string, limit: number): readonly LedgerRow[] {
    return this.#rows.page(after, limit);
  }

  /** The newest, oldest of them first. */
  events(limit: number): readonly LedgerEvent[] {
    return this.#events.newest(limit);
  }

  /** Fills in from the origin's journal what no isolate told. Throws when the journal cannot be read. */
  async reconcile(tenant: string): Promise<ReconcileAnswer> {
    this.#fold(Date.now());
    let [read, added] = [0, 0];
    const source = { url: this.env.ORIGIN_URL, secret: this.env.ORIGIN_SECRET };
    const terms = await this.env.KEYS.get<Terms>("terms:current", "json");
    for (let page = 0; page < pagesMax; page++) {
      const after = this.#meta<string>("journal") ?? "";
      const found = await readJournal(source, tenant, after);
      if (found === undefined) break;
      this.ctx.storage.transactionSync(() => {
        for (const entry of found.entries) {
          read += 1;
          const row = rowOfEntry(entry, terms);
          if (!this.#rows.add(row, "journal")) continue;
          added += 1;
          this.#explain(isolateOf(row.id), quotaUse(row));
        }
        this.#setMeta("journal", found.next);
      });
      if (!found.more) break;
    }
    return { read, added, unreported: this.#rows.unreportedBetween(0, Number.MAX_SAFE_INTEGER) };
  }

  override async alarm(): Promise<void> {
    this.#alarmMs = Number.POSITIVE_INFINITY;
    const nowMs = Date.now();
    this.#fold(nowMs);
    await this.#list();
    await this.#deliver(nowMs);
    if (nowMs >= (this.#meta<number>("reconcileMs") ?? 0)) await this.#reconcileSoon(nowMs);
    if (nowMs >= (this.#meta<number>("pruneMs") ?? 0)) {
      this.#rows.prune(nowMs);
      this.#setMeta("pruneMs", nowMs + pruneEveryMs);
    }
    await this.#wakeBy(Date.now(), false);
  }

  /** What silent isolates held counts as used. */
  #fold(nowMs: number): void {
    this.ctx.storage.transactionSync(() => {
      for (const { isolate, untilMs, amount } of this.#leases.fold(nowMs)) {
        this.#rows.setUnreported(isolate, untilMs, amount);
        // What it answered at the origin is written down there.
        this.#setMeta("reconcileMs", nowMs);
      }
    });
  }

  /** A call that its isolate did not tell explains a part of what that isolate held. */
  #explain(isolate: string, used: Amount): void {
    this.#leases.lessen(isolate, used);
    const unreported = this.#rows.unreportedOf(isolate);
    if (unreported === undefined) return;
    this.#rows.setUnreported(isolate, unreported.atMs, most(nothing, minus(unreported.amount, used)));
  }

  /** Reports on all tenants find it from then on. */
  async #list(): Promise<void> {
    if (this.#named === undefined || this.#meta("listed") === true) return;
    await this.env.LEDGER_LIST.getByName("tenants").note(this.#named.tenant);
    this.#setMeta("listed", true);
  }

  async #reconcileSoon(nowMs: number): Promise<void> {
    const { tenant } = this.#named ?? {};
    if (tenant === undefined) return;
    try {
      await this.reconcile(tenant);
      this.#setMeta("reconcileMs", Number.MAX_SAFE_INTEGER);
    } catch (error) {
      console.error(JSON.stringify({ ledger: "the origin's journal cannot be read", cause: String(error) }));
      this.#setMeta("reconcileMs", nowMs + reconcileAgainMs);
    }
  }

  async #deliver(nowMs: number): Promise<void> {
    const due = this.#events.due(nowMs);
    if (due.length === 0) return;
    const webhook = await this.#webhook();
    for (const { number, json, attempts } of due) {
      const told = webhook !== "unknown" && (webhook.url === "" || (await tell(webhook, json, Date.now())));
      if (told) this.#events.delivered(number);
      else this.#events.failed(number, attempts, nowMs);
    }
  }

  /** The tenant's own, or else the deployment's; "" for nowhere. */
  async #webhook(): Promise<WebhookConfig | "unknown"> {
    const { EVENTS_WEBHOOK_URL: url, EVENTS_WEBHOOK_SECRET: secret = "", EVENTS_WEBHOOK_LOCAL } = this.env;
    const local = EVENTS_WEBHOOK_LOCAL === "on";
    try {
      const own = await this.env.DIRECTORY.getByName("directory").webhook(this.#named?.tenant ?? "");
      return own === undefined ? { url, secret, local } : { ...own, local };
    } catch {
      return "unknown";
    }
  }

  #windows(nowMs: number): readonly QuotaWindow[] {
    return quotaWindows(this.#named?.rules.quotas ?? {}, (period) => this.#rows.window(period, nowMs));
  }

  /** Once for each window and share. */
  #raise(windows: readonly QuotaWindow[], refused: readonly QuotaWindow[], nowMs: number): void {
    const { notifyAt = [] } = this.#named?.rules ?? {};
    for (const window of windows) {
      for (const share of reached(window, notifyAt)) this.#raiseOne("quota.threshold", window, share, nowMs);
    }
    for (const window of refused) {
      this.#raiseOne("quota.exhausted", window, window.limit === 0 ? 1 : window.used / window.limit, nowMs);
    }
  }

  #raiseOne(type: LedgerEvent["type"], window: QuotaWindow, share: number, nowMs: number): void {
    const { kind, period, limit, used, startMs, endMs } = window;
    const name = `${type} ${kind} ${period} ${startMs} ${limit} ${type === "quota.threshold" ? share : ""}`;
    if (this.#raised.has(name)) return;
    this.#raised.add(name);
    const [window_start, renewed_at, at] = [startMs, endMs, nowMs].map((ms) => new Date(ms).toISOString()) as [
      string,
      string,
      string,
    ];
    const tenant = this.#named?.tenant ?? "";
    const event = {
      id: crypto.randomUUID(),
      type,
      at,
      tenant,
      kind,
      period,
      window_start,
      renewed_at,
      limit,
      used,
      share,
    };
    this.#events.raise(name, event, nowMs);
  }

  /** What there is to do wakes it: a lease to fold, an event to tell, a journal to read. */
  async #wakeBy(nowMs: number, used = true): Promise<void> {
    // Rows that an isolate died with are in the journal alone: a ledger in use is held against it now and then.
    if (used && (this.#meta<number>("reconcileMs") ?? Number.MAX_SAFE_INTEGER) === Number.MAX_SAFE_INTEGER) {
      this.#setMeta("reconcileMs", nowMs + reconcileEveryMs);
    }
    const reconcileMs = this.#meta<number>("reconcileMs") ?? Number.MAX_SAFE_INTEGER;
    const listMs = this.#meta("listed") === true ? undefined : nowMs;
    const wakes = [this.#leases.nextFoldMs(), this.#events.nextDueMs(), listMs, reconcileMs].flatMap((ms) => ms ?? []);
    const atMs = Math.max(nowMs, Math.min(...wakes) + 1);
    if (atMs >= this.#alarmMs || atMs >= Number.MAX_SAFE_INTEGER) return;
    this.#alarmMs = atMs;
    await this.ctx.storage.setAlarm(atMs);
  }

  #name(tenant: string, rules: LedgerRules): void {
    const named = { tenant, rules };
    if (JSON.stringify(named) === JSON.stringify(this.#named)) return;
    this.#named = named;
    this.#setMeta("named", named);
    this.#rows.setTimeZone(rules.timeZone);
  }

  #meta<T>(key: string): T | undefined {
    return this.ctx.storage.kv.get<T>(key);
  }

  #setMeta(key: string, value: unknown): void {
    this.ctx.storage.kv.put(key, value);
  }
}
