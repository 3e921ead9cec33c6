import type { Block, BlockChanges, BlockCounts, BlockReason } from "@ledge/contract";
import type { Sql } from "./tally-store.ts";

/** A row a block; `changed` rises with every block and every lift. */
const tables = `
  CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, changed INTEGER NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, times INTEGER NOT NULL, lifted_ms INTEGER NOT NULL, lifted_by TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS blocks_changed ON blocks (changed);
  CREATE INDEX IF NOT EXISTS blocks_subject ON blocks (subject);
  CREATE TABLE IF NOT EXISTS counts (of TEXT PRIMARY KEY, value INTEGER NOT NULL);
`;

/** Ended ones beyond so many are forgotten, and an isolate is told so many changes at once. */
const boundsDefault = { rowsMax: 10_000, changesMax: 2_000 };

export interface NewBlock {
  readonly subject: string;
  readonly reason: BlockReason;
  readonly atMs: number;
  readonly untilMs: number;
  readonly times: number;
}

interface Row extends Record<string, string | number> {
  readonly number: number;
  readonly changed: number;
  readonly subject: string;
  readonly reason: BlockReason;
  readonly at_ms: number;
  readonly until_ms: number;
  readonly times: number;
  readonly lifted_ms: number;
  readonly lifted_by: string;
}

/** The blocks on their Durable Object's SQLite. Every method is synchronous. */
export class BlockStore {
  readonly #sql: Sql;
  readonly #bounds: typeof boundsDefault;

  constructor(sql: Sql, bounds = boundsDefault) {
    this.#sql = sql;
    this.#bounds = bounds;
    sql.exec(tables);
  }

  /** The same block again is not listed again. */
  add({ subject, reason, atMs, untilMs, times }: NewBlock): void {
    const known = this.#sql.exec("SELECT number FROM blocks WHERE subject = ? AND until_ms = ?", subject, untilMs);
    if (known.toArray().length > 0) return;
    const number = this.#next();
    this.#sql.exec(
      "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, 0, '')",
      number,
      number,
      subject,
      reason,
      atMs,
      untilMs,
      times,
    );
    this.#count(subject.startsWith("ip:") ? "addresses" : "callers");
    const oldest = number - this.#bounds.rowsMax;
    this.#sql.exec("DELETE FROM blocks WHERE number <= ? AND until_ms <= ?", oldest, atMs);
  }

  /** Whether it was blocked. */
  lift(subject: string, by: string, nowMs: number): boolean {
    const active = this.#rows(
      "SELECT * FROM blocks WHERE subject = ? AND until_ms > ? AND lifted_ms = 0",
      subject,
      nowMs,
    );
    for (const { number } of active) {
      this.#sql.exec(
        "UPDATE blocks SET changed = ?, lifted_ms = ?, lifted_by = ? WHERE number = ?",
        this.#next(),
        nowMs,
        by,
        number,
      );
    }
    return active.length > 0;
  }

  /** Newest first: those that last, or with `all` those that have ended too. */
  list(all: boolean, limit: number, nowMs: number): readonly Block[] {
    const rows = this.#rows(
      `SELECT * FROM blocks WHERE ${all ? "until_ms > ? OR 1" : "until_ms > ? AND lifted_ms = 0"} ORDER BY number DESC LIMIT ?`,
      nowMs,
      limit,
    );
    return rows.map(({ number, subject, reason, at_ms, until_ms, times, lifted_ms, lifted_by }) => ({
      number,
      subject,
      reason,
      at: rfc3339(at_ms),
      until: rfc3339(until_ms),
      times,
      ...(lifted_ms === 0 ? {} : { lifted_at: rfc3339(lifted_ms), lifted_by }),
    }));
  }

  changesAfter(after: number, nowMs: number): BlockChanges {
    const { changesMax } = this.#bounds;
    const rows = this.#rows(
      "SELECT * FROM blocks WHERE changed > ? AND until_ms > ? ORDER BY changed LIMIT ?",
      after,
      nowMs,
      changesMax,
    );
    const number = rows.length < changesMax ? this.#counted("changes") : (rows.at(-1)?.changed ?? after);
    return {
      number,
      changes: rows.map(({ subject, until_ms, lifted_ms }) => ({ subject, untilMs: lifted_ms > 0 ? 0 : until_ms })),
    };
  }

  counts(nowMs: number): BlockCounts {
    const active = this.#sql
      .exec<{ n: number }>("SELECT COUNT(*) AS n FROM blocks WHERE until_ms > ? AND lifted_ms = 0", nowMs)
      .toArray();
    return {
      addresses: this.#counted("addresses"),
      callers: this.#counted("callers"),
      active: active[0]?.n ?? 0,
    };
  }

  #rows(query: string, ...values: (string | number)[]): Row[] {
    return this.#sql.exec<Row>(query, ...values).toArray();
  }

  #next(): number {
    this.#count("changes");
    return this.#counted("changes");
  }

  #count(of: "addresses" | "callers" | "changes"): void {
    this.#sql.exec("INSERT INTO counts VALUES (?, 1) ON CONFLICT (of) DO UPDATE SET value = value + 1", of);
  }

  #counted(of: "addresses" | "callers" | "changes"): number {
    return this.#sql.exec<{ value: number }>("SELECT value FROM counts WHERE of = ?", of).toArray()[0]?.value ?? 0;
  }
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
