import { type AuditRow, auditHash, auditStart } from "@ledge/contract";
import { digests } from "../digests.ts";
import type { Sql } from "./tally-store.ts";

/** `about` is read from the row itself, so that no edit of one leaves the other looking right. */
const tables = `
  CREATE TABLE IF NOT EXISTS audit_log (number INTEGER PRIMARY KEY, row TEXT NOT NULL, hash TEXT NOT NULL,
    about TEXT GENERATED ALWAYS AS (coalesce(json_extract(row, '$.model'), json_extract(row, '$.scope'))) VIRTUAL);
  CREATE INDEX IF NOT EXISTS audit_log_about ON audit_log (about, number);
`;

export interface AuditQuery {
  /** Only rows of this model or scope. */
  readonly about?: string;
  /** Rows after this number, the oldest of them first; absent: the newest rows. */
  readonly after?: number;
  readonly limit: number;
}

/** A row with the hash that chains it to those before it. */
export type HashedRow = AuditRow & { readonly hash: string };

interface Kept extends Record<string, string | number> {
  readonly number: number;
  readonly row: string;
  readonly hash: string;
}

/** An object's audit on its own SQLite: rows are only ever added. */
export class AuditLog {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(tables);
  }

  /** In the transaction of the change that it tells of. Throws for a number that is not above all before. */
  add(row: AuditRow): void {
    const last = this.#last();
    if (row.number <= (last?.number ?? 0)) throw new Error(`the audit is past row ${row.number}`);
    const hash = auditHash(last?.hash ?? auditStart, row, digests.sha256Hex);
    this.#sql.exec("INSERT INTO audit_log (number, row, hash) VALUES (?, ?, ?)", row.number, JSON.stringify(row), hash);
  }

  /** Of the latest row; 0 before the first. */
  number(): number {
    return this.#last()?.number ?? 0;
  }

  /** Ascending. */
  read({ about, after, limit }: AuditQuery): readonly HashedRow[] {
    const filters = [...(about === undefined ? [] : ["about = ?"]), "number > ?"].join(" AND ");
    const order = after === undefined ? "DESC" : "ASC";
    const rows = this.#sql
      .exec<Kept>(
        `SELECT number, row, hash FROM audit_log WHERE ${filters} ORDER BY number ${order} LIMIT ?`,
        ...(about === undefined ? [] : [about]),
        after ?? 0,
        limit,
      )
      .toArray()
      .map(({ row, hash }) => ({ ...(JSON.parse(row) as AuditRow), hash }));
    return after === undefined ? rows.reverse() : rows;
  }

  #last(): Kept | undefined {
    return this.#sql.exec<Kept>("SELECT number, row, hash FROM audit_log ORDER BY number DESC LIMIT 1").toArray()[0];
  }
}
