import { type Amount, type LedgerRow, nothing } from "@ledge/contract";
import {
  addSums,
  type CalendarWindow,
  noSums,
  type Period,
  packSums,
  plus,
  quotaUse,
  type Sums,
  sumsOf,
  unpackSums,
  windowAt,
} from "@ledge/policy";

/**
 * A tenant's rows, what they add up to by hour, and what of them counts against quotas in each calendar window: three forms of
 * one truth, changed together or not at all.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, series INTEGER NOT NULL, request TEXT NOT NULL,
    input INTEGER NOT NULL, output INTEGER NOT NULL, cost INTEGER NOT NULL, list_cost INTEGER NOT NULL, edge_saved INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL, arm TEXT, code TEXT, calls INTEGER NOT NULL, tokens INTEGER NOT NULL, source TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS rows_by_time ON rows (at_ms);
  CREATE TABLE IF NOT EXISTS hours (hour INTEGER, series INTEGER, sums BLOB NOT NULL, PRIMARY KEY (hour, series)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS unreported (isolate TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, calls INTEGER NOT NULL,
    tokens INTEGER NOT NULL, microcents INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS windows (period TEXT, start_ms INTEGER, end_ms INTEGER NOT NULL, calls INTEGER NOT NULL,
    tokens INTEGER NOT NULL, microcents INTEGER NOT NULL, PRIMARY KEY (period, start_ms)) WITHOUT ROWID;
`;

/** What is used of a Durable Object's SQLite. */
export interface Sql {
  exec<T extends Record<string, SqlValue>>(query: string, ...values: SqlValue[]): { toArray(): T[] };
}
type SqlValue = string | number | null | ArrayBuffer;

export const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Keys, users, models and so on that an hour tells apart: a year of such hours takes less than 50 MB. */
export const seriesPerHourMax = 80;
/** How long and how much is kept. Rows go first by age, then by number; hours by age. */
const keptDefault = { rowsMs: 35 * dayMs, rowsMax: 5_000_000, hoursMs: 366 * dayMs, seriesPerHourMax };

/** What calls are told apart by in the sums. */
export type Series = Pick<LedgerRow, "key" | "user" | "project" | "model" | "version" | "action" | "tier" | "cache">;

/** Where a row comes from: an isolate said it, or, because none did, an origin's journal. */
export type RowSource = "edge" | "journal";

interface RowRecord extends Record<string, SqlValue> {
  id: string;
  at_ms: number;
  series: number;
  request: string;
  input: number;
  output: number;
  cost: number;
  list_cost: number;
  edge_saved: number;
  latency_ms: number;
  arm: string | null;
  code: string | null;
  calls: number;
  tokens: number;
  source: string;
}

type Spent = Amount & Record<string, SqlValue>;
const sumOfAmounts = "coalesce(sum(calls), 0) AS calls, coalesce(sum(tokens), 0) AS tokens";

export class LedgerRows {
  readonly #sql: Sql;
  readonly #kept: typeof keptDefault;
  readonly #series = new Map<string, number>();
  #timeZone = "UTC";

  constructor(sql: Sql, kept: Partial<typeof keptDefault> = {}) {
    this.#sql = sql;
    this.#kept = { ...keptDefault, ...kept };
    sql.exec(tables);
  }

  /** Windows are counted anew from the rows when the zone is another one. */
  setTimeZone(zone: string): void {
    if (zone === this.#timeZone) return;
    this.#timeZone = zone;
    this.#sql.exec("DELETE FROM windows");
  }

  /** Adds a row once: what an isolate says replaces what a journal said. Whether anything was added. */
  add(row: LedgerRow, source: RowSource): boolean {
    const known = this.#sql.exec<RowRecord>("SELECT * FROM rows WHERE id = ?", row.id).toArray()[0];
    if (known !== undefined && (known.source === "edge" || source === "journal")) return false;
    if (known !== undefined) this.#remove(known);
    const series = this.#seriesFor(row);
    const { calls, tokens } = quotaUse(row);
    const { id, at_ms, request_id, input_tokens, output_tokens, cost, list_cost, edge_saved = 0, latency_ms } = row;
    const values = [input_tokens, output_tokens, cost, list_cost, edge_saved, latency_ms, row.arm ?? null];
    this.#sql.exec(
      "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[id, at_ms, series, request_id, ...values, row.code ?? null, calls, tokens, source],
    );
    this.#addToHour(at_ms, series, sumsOf(row), 1);
    this.#spend(at_ms, quotaUse(row), 1);
    return true;
  }

  /** Rows after a place, oldest first; the place is the last row's time and id, split by a colon. */
  page(after: string, limit: number): readonly LedgerRow[] {
    const [atMs, ...id] = after.split(":");
    const series = this.#seriesById();
    return this.#sql
      .exec<RowRecord>(
        "SELECT * FROM rows WHERE (at_ms, id) > (?, ?) ORDER BY at_ms, id LIMIT ?",
        Number(atMs) || 0,
        id.join(":"),
        limit,
      )
      .toArray()
      .flatMap((record) => {
        const named = series.get(record.series);
        return named === undefined ? [] : [{ ...rowOf(record), ...named }];
      });
  }

  /** What a window's rows, and what was never told of it, have used. */
  window(period: Period, atMs: number): CalendarWindow & { readonly used: Amount } {
    const window = windowAt(period, atMs, this.#timeZone);
    const { startMs, endMs } = window;
    const known = this.#sql
      .exec<Spent>("SELECT * FROM windows WHERE period = ? AND start_ms = ?", period, startMs)
      .toArray()[0];
    if (known !== undefined) return { startMs, endMs, used: amountOf(known) };
    const used = this.usedBetween(startMs, endMs);
    const { calls, tokens, microcents } = used;
    this.#sql.exec("INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?)", period, startMs, endMs, calls, tokens, microcents);
    return { startMs, endMs, used };
  }

  /** As the rows say it, with what was never told: what windows must agree with. */
  usedBetween(fromMs: number, toMs: number): Amount {
    const [rows] = this.#sql
      .exec<Spent>(
        `SELECT ${sumOfAmounts}, coalesce(sum(cost), 0) AS microcents FROM rows WHERE at_ms >= ? AND at_ms < ?`,
        fromMs,
        toMs,
      )
      .toArray();
    return plus(rows === undefined ? nothing : amountOf(rows), this.unreportedBetween(fromMs, toMs));
  }

  unreportedBetween(fromMs: number, toMs: number): Amount {
    const [sum] = this.#sql
      .exec<Spent>(
        `SELECT ${sumOfAmounts}, coalesce(sum(microcents), 0) AS microcents FROM unreported WHERE at_ms >= ? AND at_ms < ?`,
        fromMs,
        toMs,
      )
      .toArray();
    return sum === undefined ? nothing : amountOf(sum);
  }

  /** What a silent isolate held counts as used until somebody says better: by then it may have been. */
  setUnreported(isolate: string, atMs: number, amount: Amount): void {
    const known = this.unreportedOf(isolate);
    if (known !== undefined) {
      this.#spend(known.atMs, known.amount, -1);
      this.#sql.exec("DELETE FROM unreported WHERE isolate = ?", isolate);
    }
    const { calls, tokens, microcents } = amount;
    if (calls + tokens + microcents === 0) return;
    this.#sql.exec("INSERT INTO unreported VALUES (?, ?, ?, ?, ?)", isolate, atMs, calls, tokens, microcents);
    this.#spend(atMs, amount, 1);
  }

  unreportedOf(isolate: string): { readonly atMs: number; readonly amount: Amount } | undefined {
    const [known] = this.#sql
      .exec<Spent & { at_ms: number }>("SELECT * FROM unreported WHERE isolate = ?", isolate)
      .toArray();
    return known && { atMs: known.at_ms, amount: amountOf(known) };
  }

  /** The beginning of the last hour in which each of these keys has a row, milliseconds since 1970. */
  lastUsed(keys: readonly string[]): Readonly<Record<string, number>> {
    const wanted = new Set(keys);
    const used: Record<string, number> = {};
    const rows = this.#sql.exec<{ json: string; hour: number }>(
      "SELECT json, max(hour) AS hour FROM hours JOIN series ON series.id = hours.series GROUP BY series.id",
    );
    for (const { json, hour } of rows.toArray()) {
      const { key } = JSON.parse(json) as Series;
      if (key !== undefined && wanted.has(key)) used[key] = Math.max(used[key] ?? 0, hour * hourMs);
    }
    return used;
  }

  /** Each hour's sums from one instant to another, oldest first. */
  *hours(
    fromMs: number,
    toMs: number,
  ): Generator<{ readonly hourMs: number; readonly series: Series; readonly sums: Sums }> {
    const names = this.#seriesById();
    const [from, to] = [Math.floor(fromMs / hourMs), Math.ceil(toMs / hourMs)];
    // A day at a time: a year at once would not fit into memory.
    for (let start = from; start < to; start += 24) {
      const found = this.#sql
        .exec<{ hour: number; series: number; sums: ArrayBuffer }>(
          "SELECT * FROM hours WHERE hour >= ? AND hour < ?",
          start,
          Math.min(to, start + 24),
        )
        .toArray();
      for (const { hour, series, sums } of found) {
        const named = names.get(series);
        if (named !== undefined) yield { hourMs: hour * hourMs, series: named, sums: unpackSums(new Uint8Array(sums)) };
      }
    }
  }

  /** The hour that the oldest sums are of, milliseconds since 1970; `undefined` without any. */
  oldestHourMs(): number | undefined {
    const [row] = this.#sql.exec<{ hour: number | null }>("SELECT min(hour) AS hour FROM hours").toArray();
    return row?.hour == null ? undefined : row.hour * hourMs;
  }

  /** Drops what is too old, or too much. Sums outlive their rows. */
  prune(nowMs: number): void {
    const { rowsMs, rowsMax, hoursMs } = this.#kept;
    this.#sql.exec("DELETE FROM rows WHERE at_ms < ?", nowMs - rowsMs);
    const [count] = this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM rows").toArray();
    const over = (count?.n ?? 0) - rowsMax;
    if (over > 0) {
      this.#sql.exec("DELETE FROM rows WHERE id IN (SELECT id FROM rows ORDER BY at_ms LIMIT ?)", over);
    }
    this.#sql.exec("DELETE FROM hours WHERE hour < ?", Math.floor((nowMs - hoursMs) / hourMs));
    this.#sql.exec("DELETE FROM windows WHERE end_ms < ?", nowMs - rowsMs);
    this.#sql.exec("DELETE FROM unreported WHERE at_ms < ?", nowMs - rowsMs);
  }

  #seriesById(): ReadonlyMap<number, Series> {
    const rows = this.#sql.exec<{ id: number; json: string }>("SELECT id, json FROM series").toArray();
    return new Map(rows.map(({ id, json }) => [id, seriesOf(json)]));
  }

  #remove(known: RowRecord): void {
    this.#sql.exec("DELETE FROM rows WHERE id = ?", known.id);
    const { at_ms, series, calls, tokens, cost } = known;
    this.#addToHour(at_ms, series, sumsOf(rowOf(known)), -1);
    this.#spend(at_ms, { calls, tokens, microcents: cost }, -1);
  }

  #addToHour(atMs: number, series: number, more: Sums, sign: 1 | -1): void {
    const hour = Math.floor(atMs / hourMs);
    const [known] = this.#sql
      .exec<{ sums: ArrayBuffer }>("SELECT sums FROM hours WHERE hour = ? AND series = ?", hour, series)
      .toArray();
    // A row that is replaced may have been told among the others.
    if (known === undefined && sign < 0) return;
    const before = known === undefined ? noSums : unpackSums(new Uint8Array(known.sums));
    const sums = packSums(addSums(before, more, sign));
    this.#sql.exec("INSERT OR REPLACE INTO hours VALUES (?, ?, ?)", hour, series, sums.slice().buffer);
  }

  #spend(atMs: number, { calls, tokens, microcents }: Amount, sign: 1 | -1): void {
    this.#sql.exec(
      "UPDATE windows SET calls = calls + ?1, tokens = tokens + ?2, microcents = microcents + ?3 WHERE start_ms <= ?4 AND end_ms > ?4",
      ...[sign * calls, sign * tokens, sign * microcents, atMs],
    );
  }

  /** Past the number of series that an hour may have, users and keys are told together: the sums stay whole. */
  #seriesFor(row: LedgerRow): number {
    const own = this.#idOf(row);
    const hour = Math.floor(row.at_ms / hourMs);
    const [known] = this.#sql
      .exec<{ own: number; n: number }>(
        "SELECT coalesce(sum(series = ?), 0) AS own, count(*) AS n FROM hours WHERE hour = ?",
        own,
        hour,
      )
      .toArray();
    if (known === undefined || known.own > 0 || known.n < this.#kept.seriesPerHourMax) return own;
    const { user: _user, project: _project, ...rest } = row;
    return this.#idOf({ ...rest, key: othersKey });
  }

  #idOf({ key, user, project, model, version, action, tier, cache }: Series): number {
    const json = JSON.stringify([key ?? 0, user ?? 0, project ?? 0, model, version, action, tier ?? 0, cache]);
    const known = this.#series.get(json);
    if (known !== undefined) return known;
    this.#sql.exec("INSERT OR IGNORE INTO series (json) VALUES (?)", json);
    const [row] = this.#sql.exec<{ id: number }>("SELECT id FROM series WHERE json = ?", json).toArray();
    const id = row?.id ?? 0;
    if (this.#series.size >= seriesRememberedMax) this.#series.clear();
    this.#series.set(json, id);
    return id;
  }
}

const seriesRememberedMax = 10_000;
/** Whose calls are told together in an hour of too many keys and users. */
export const othersKey = "others";

function seriesOf(json: string): Series {
  const [key, user, project, model, version, action, tier, cache] = JSON.parse(json);
  const optional = { key, user, project, tier };
  const given = Object.entries(optional).filter(([, value]) => value !== 0);
  return { model, version, action, cache, ...Object.fromEntries(given) };
}

function amountOf({ calls, tokens, microcents }: Amount): Amount {
  return { calls, tokens, microcents };
}

/** A stored row, all but its series. */
function rowOf(record: RowRecord): LedgerRow {
  const { id, at_ms, request, input, output, cost, list_cost, edge_saved, latency_ms, arm, code } = record;
  return {
    id,
    request_id: request,
    at_ms,
    model: "",
    version: "",
    action: "infer",
    cache: "miss",
    input_tokens: input,
    output_tokens: output,
    cost,
    list_cost,
    ...(edge_saved === 0 ? {} : { edge_saved }),
    latency_ms,
    ...(arm === null ? {} : { arm }),
    ...(code === null ? {} : { code }),
  };
}
