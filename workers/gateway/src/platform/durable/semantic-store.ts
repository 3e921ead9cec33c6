import { worthAfterUse } from "@ledge/policy";

/** A use of an entry counts half after a day: see docs/decisions/0011-semantic-index.md. */
const halfLifeMs = 86_400_000;
/** Uses that wait to be written. */
const usesMax = 256;

/** The numbers are not used again, so that memory, which knows entries by number, never takes one for another. */
const tables = `
  CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key_id TEXT NOT NULL,
    sealed BLOB NOT NULL, expires_at_ms INTEGER NOT NULL, worth REAL NOT NULL);
  CREATE INDEX IF NOT EXISTS entries_by_worth ON entries (worth);
  CREATE INDEX IF NOT EXISTS entries_by_expiry ON entries (expires_at_ms);
  CREATE INDEX IF NOT EXISTS entries_by_key ON entries (key_id, number);
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
`;

/** An entry as it lies in the table: nothing of what it says is in clear. */
export interface SealedRow {
  readonly number: number;
  readonly id: string;
  readonly keyId: string;
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly expiresAtMs: number;
}

/**
 * The sealed entries on their Durable Object's SQLite. Every method is synchronous. There are no tables until something is
 * kept, since an object that was only asked should leave nothing behind.
 */
export class SemanticStore {
  readonly #sql: SqlStorage;
  #there: boolean;
  #count: number;
  #uses: { readonly id: string; readonly atMs: number }[] = [];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#there = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'entries'").toArray().length > 0;
    this.#count = this.#there ? this.#one("SELECT count(*) AS value FROM entries") : 0;
  }

  get count(): number {
    return this.#count;
  }

  /** Of all vectors here; 0 when there is none. */
  get dimensions(): number {
    return this.#meta("dimensions");
  }

  /** Rows that did not open, and were dropped. */
  get unreadable(): number {
    return this.#meta("unreadable");
  }

  /** The tables are gone: by `deleteAll`, when the last entry was. */
  forget(): void {
    this.#there = false;
    this.#count = 0;
    this.#uses = [];
  }

  /** Answers with the row's number. To be called within a transaction, when there is none of the same id. */
  insert({ id, keyId, sealed, expiresAtMs }: Omit<SealedRow, "number">, dimensions: number, nowMs: number): number {
    const values = [id, keyId, sealed, expiresAtMs, worthAfterUse(undefined, nowMs, halfLifeMs)];
    this.#sql.exec("INSERT INTO entries (id, key_id, sealed, expires_at_ms, worth) VALUES (?, ?, ?, ?, ?)", ...values);
    if (this.#count++ === 0) this.#setMeta("dimensions", dimensions);
    return this.#one("SELECT last_insert_rowid() AS value");
  }

  /** Makes the tables when they are missing. */
  create(): void {
    if (!this.#there) this.#sql.exec(tables);
    this.#there = true;
  }

  remove(id: string): number | undefined {
    return this.#removed("DELETE FROM entries WHERE id = ? RETURNING number", id)[0];
  }

  removeNumber(number: number): void {
    this.#removed("DELETE FROM entries WHERE number = ? RETURNING number", number);
  }

  /** The entries worth least. Answers with their numbers. */
  removeLeast(many: number): readonly number[] {
    if (many <= 0) return [];
    const least = "SELECT number FROM entries ORDER BY worth LIMIT ?";
    return this.#removed(`DELETE FROM entries WHERE number IN (${least}) RETURNING number`, many);
  }

  /** Answers with the numbers of those that had expired, so many of them at most. */
  removeExpired(nowMs: number, most: number): readonly number[] {
    const expired = "SELECT number FROM entries WHERE expires_at_ms <= ? LIMIT ?";
    return this.#removed(`DELETE FROM entries WHERE number IN (${expired}) RETURNING number`, nowMs, most);
  }

  /** Remembers a use. It costs no write of its own: who is used least only matters when something is kept. */
  use(id: string, atMs: number): void {
    this.#uses.push({ id, atMs });
    if (this.#uses.length >= usesMax) this.writeUses();
  }

  writeUses(): void {
    const uses = this.#uses.splice(0);
    if (!this.#there) return;
    for (const { id, atMs } of uses) {
      const row = this.#sql.exec<{ worth: number }>("SELECT worth FROM entries WHERE id = ?", id).toArray()[0];
      if (row === undefined) continue;
      this.#sql.exec("UPDATE entries SET worth = ? WHERE id = ?", worthAfterUse(row.worth, atMs, halfLifeMs), id);
    }
  }

  /** Those of these rows that are there, by number. */
  rowsNumbered(numbers: readonly number[]): ReadonlyMap<number, SealedRow> {
    const marks = numbers.map(() => "?").join(", ");
    return new Map(this.#rows(`WHERE number IN (${marks})`, ...numbers).map((row) => [row.number, row]));
  }

  /** Which rows there are from one number to another. */
  numbersFrom(first: number, last: number): ReadonlySet<number> {
    if (!this.#there) return new Set();
    const statement = "SELECT number FROM entries WHERE number BETWEEN ? AND ?";
    return new Set([...this.#sql.exec<{ number: number }>(statement, first, last)].map(({ number }) => number));
  }

  /** Rows that a key sealed, by number, so many after one. */
  rowsOfKey(keyId: string, after: number, many: number): readonly SealedRow[] {
    return this.#rows("WHERE key_id = ? AND number > ? ORDER BY number LIMIT ?", keyId, after, many);
  }

  lastExpiryMs(): number {
    return this.#there ? this.#one("SELECT coalesce(max(expires_at_ms), 0) AS value FROM entries") : 0;
  }

  countUnreadable(more: number): void {
    if (this.#there) this.#setMeta("unreadable", this.unreadable + more);
  }

  #rows(where: string, ...values: readonly SqlStorageValue[]): readonly SealedRow[] {
    if (!this.#there) return [];
    return this.#sql
      .exec<{ number: number; id: string; key_id: string; sealed: ArrayBuffer; expires_at_ms: number }>(
        `SELECT number, id, key_id, sealed, expires_at_ms FROM entries ${where}`,
        ...values,
      )
      .toArray()
      .map(({ number, id, key_id, sealed, expires_at_ms }) => {
        return { number, id, keyId: key_id, sealed: new Uint8Array(sealed), expiresAtMs: expires_at_ms };
      });
  }

  #removed(statement: string, ...values: readonly SqlStorageValue[]): readonly number[] {
    if (!this.#there) return [];
    const numbers = this.#sql.exec<{ number: number }>(statement, ...values).toArray();
    this.#count -= numbers.length;
    return numbers.map(({ number }) => number);
  }

  #one(statement: string): number {
    return this.#sql.exec<{ value: number }>(statement).one().value;
  }

  #meta(key: string): number {
    if (!this.#there) return 0;
    return this.#sql.exec<{ value: number }>("SELECT value FROM meta WHERE key = ?", key).toArray()[0]?.value ?? 0;
  }

  #setMeta(key: string, value: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value);
  }
}
