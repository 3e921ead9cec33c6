import type { LedgerEvent } from "@ledge/contract";
import type { Sql } from "./ledger-rows.ts";

const tables = `
  CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, json TEXT NOT NULL,
    attempts INTEGER NOT NULL, due_ms INTEGER);
`;

const eventsKept = 1_000;
const firstRetryMs = 1_000;
const retryMsMax = 3_600_000;
/** Over some three days. Then only `GET /admin/v1/events` tells it. */
const attemptsMax = 80;

interface EventRecord extends Record<string, string | number | null> {
  number: number;
  json: string;
  attempts: number;
}

/** A tenant's events, each raised once and delivered at least once. */
export class LedgerEvents {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(tables);
  }

  /** Raises an event unless one of this name was raised before. `deliver`: whether somebody is to be told. */
  raise(name: string, event: LedgerEvent, atMs: number): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO events (name, at_ms, json, attempts, due_ms) VALUES (?, ?, ?, 0, ?)",
      ...[name, atMs, JSON.stringify(event), atMs],
    );
    this.#sql.exec("DELETE FROM events WHERE number <= (SELECT max(number) FROM events) - ?", eventsKept);
  }

  /** The newest, oldest of them first. */
  newest(limit: number): readonly LedgerEvent[] {
    const rows = this.#sql.exec<EventRecord>("SELECT * FROM events ORDER BY number DESC LIMIT ?", limit).toArray();
    return rows.reverse().map(({ json }) => JSON.parse(json));
  }

  due(nowMs: number): readonly { readonly number: number; readonly json: string; readonly attempts: number }[] {
    return this.#sql
      .exec<EventRecord>("SELECT * FROM events WHERE due_ms <= ? ORDER BY number LIMIT 20", nowMs)
      .toArray();
  }

  nextDueMs(): number | undefined {
    const [row] = this.#sql.exec<{ at: number | null }>("SELECT min(due_ms) AS at FROM events").toArray();
    return row?.at ?? undefined;
  }

  delivered(number: number): void {
    this.#sql.exec("UPDATE events SET due_ms = NULL WHERE number = ?", number);
  }

  /** Again later, twice as late each time. */
  failed(number: number, attempts: number, nowMs: number): void {
    const dueMs = attempts + 1 >= attemptsMax ? null : nowMs + Math.min(retryMsMax, firstRetryMs * 2 ** attempts);
    this.#sql.exec("UPDATE events SET attempts = ?, due_ms = ? WHERE number = ?", attempts + 1, dueMs, number);
  }
}
