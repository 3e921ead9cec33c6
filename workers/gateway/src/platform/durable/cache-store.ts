import {
  type CacheAuditRow,
  type CachePolicy,
  type CacheState,
  emptyCacheState,
  type Keyring,
  type Purged,
} from "@ledge/contract";
import { AuditLog } from "./audit-log.ts";
import type { Sql } from "./tally-store.ts";

/** The keeper's tables. One row a purge, a policy and a keyring, because a row of SQLite here holds 2 MB at most. */
const tables = `
  CREATE TABLE IF NOT EXISTS purges (scope TEXT PRIMARY KEY, number INTEGER NOT NULL, at_ms INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS models (name TEXT PRIMARY KEY, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS tenants (name TEXT PRIMARY KEY, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS key_changes (tenant TEXT PRIMARY KEY, number INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS keyrings (tenant TEXT PRIMARY KEY, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS unpublished_keyrings (tenant TEXT PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
    scope TEXT NOT NULL, from_json TEXT NOT NULL, to_json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
`;

const purgesAudited = 100_000;

type Row = Record<string, string | number>;
type Meta = "number" | "published" | "publishedAtMs";

/** The cache's rules and keys on their Durable Object's SQLite. Every method is synchronous, so callers see no half-done change. */
export class CacheStore {
  /** What the operator changed, for ever. {@link addAudit} is what the operator sees of all changes, callers' too. */
  readonly log: AuditLog;
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(tables);
    this.log = new AuditLog(sql);
  }

  load(): CacheState {
    const purges = this.#rows<{ scope: string; number: number; at_ms: number }>("SELECT * FROM purges");
    const keys = this.#rows<{ tenant: string; number: number }>("SELECT * FROM key_changes");
    return {
      number: this.meta("number") ?? emptyCacheState.number,
      purges: Object.fromEntries(purges.map(({ scope, number, at_ms: atMs }) => [scope, { number, atMs }])),
      models: this.#policies("models"),
      tenants: this.#policies("tenants"),
      keys: Object.fromEntries(keys.map(({ tenant, number }) => [tenant, number])),
    };
  }

  /** Writes what differs. What a change leaves alone is the same object in both states. */
  save(before: CacheState, after: CacheState): void {
    this.#saveDifference("purges", "scope", before.purges, after.purges, (scope, { number, atMs }: Purged) => {
      this.#sql.exec("INSERT OR REPLACE INTO purges VALUES (?, ?, ?)", scope, number, atMs);
    });
    for (const table of ["models", "tenants"] as const) {
      this.#saveDifference(table, "name", before[table], after[table], (name, policy: CachePolicy) => {
        this.#sql.exec(`INSERT OR REPLACE INTO ${table} VALUES (?, ?)`, name, JSON.stringify(policy));
      });
    }
    this.#saveDifference("key_changes", "tenant", before.keys, after.keys, (tenant, number: number) => {
      this.#sql.exec("INSERT OR REPLACE INTO key_changes VALUES (?, ?)", tenant, number);
    });
    this.setMeta("number", after.number);
  }

  keyring(tenant: string): Keyring | undefined {
    const [row] = this.#rows<{ json: string }>("SELECT json FROM keyrings WHERE tenant = ?", tenant);
    // What was stored before keyrings named their tenant does not.
    return row === undefined ? undefined : { ...JSON.parse(row.json), tenant };
  }

  saveKeyring(keyring: Keyring): void {
    this.destroyKeyring(keyring.tenant);
    this.#sql.exec("INSERT INTO keyrings VALUES (?, ?)", keyring.tenant, JSON.stringify(keyring));
  }

  /** Overwritten before it is deleted: SQLite leaves the bytes of a deleted row where they were. */
  destroyKeyring(tenant: string): void {
    const zeros = "replace(hex(zeroblob(length(json))), '00', '0')";
    this.#sql.exec(`UPDATE keyrings SET json = ${zeros} WHERE tenant = ?`, tenant);
    this.#sql.exec("DELETE FROM keyrings WHERE tenant = ?", tenant);
    this.#sql.exec("INSERT OR IGNORE INTO unpublished_keyrings VALUES (?)", tenant);
  }

  /** Tenants whose keyring is another than the published one, so many at most. */
  unpublishedKeyrings(limit: number): readonly string[] {
    const rows = this.#rows<{ tenant: string }>("SELECT tenant FROM unpublished_keyrings LIMIT ?", limit);
    return rows.map(({ tenant }) => tenant);
  }

  isUnpublished(tenant: string): boolean {
    return this.#rows("SELECT tenant FROM unpublished_keyrings WHERE tenant = ?", tenant).length > 0;
  }

  keyringIsPublished(tenant: string): void {
    this.#sql.exec("DELETE FROM unpublished_keyrings WHERE tenant = ?", tenant);
  }

  /** Of purges, which a program may make all day, the rows of the last {@link purgesAudited} changes are kept; all of the others. */
  addAudit({ number, at, who, kind, scope, from, to }: CacheAuditRow, most = purgesAudited): void {
    const values = [number, at, who, kind, scope, JSON.stringify(from), JSON.stringify(to)];
    this.#sql.exec("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", ...values);
    this.#sql.exec("DELETE FROM audit WHERE number = ? AND kind = 'purge'", number - most);
  }

  /** The newest, ascending. */
  audit(limit: number): readonly CacheAuditRow[] {
    const rows = this.#rows<Row>("SELECT * FROM audit ORDER BY number DESC LIMIT ?", limit);
    return rows.reverse().map((row) => ({
      number: Number(row.number),
      at: String(row.at),
      who: String(row.who),
      kind: String(row.kind) as CacheAuditRow["kind"],
      scope: String(row.scope),
      from: JSON.parse(String(row.from_json)),
      to: JSON.parse(String(row.to_json)),
    }));
  }

  /** `undefined` when it never was set. */
  meta(key: Meta): number | undefined {
    return this.#rows<{ value: number }>("SELECT value FROM meta WHERE key = ?", key)[0]?.value;
  }

  setMeta(key: Meta, value: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value);
  }

  #rows<T extends Row>(query: string, ...values: (string | number)[]): T[] {
    return this.#sql.exec<T>(query, ...values).toArray();
  }

  #policies(table: "models" | "tenants"): Record<string, CachePolicy> {
    const rows = this.#rows<{ name: string; json: string }>(`SELECT * FROM ${table}`);
    return Object.fromEntries(rows.map(({ name, json }) => [name, JSON.parse(json)]));
  }

  #saveDifference<T>(
    table: string,
    key: string,
    before: Readonly<Record<string, T>>,
    after: Readonly<Record<string, T>>,
    write: (name: string, value: T) => void,
  ): void {
    if (before === after) return;
    const known = new Map(Object.entries(before));
    for (const [name, value] of Object.entries(after)) {
      if (known.get(name) !== value) write(name, value);
      known.delete(name);
    }
    for (const name of known.keys()) this.#sql.exec(`DELETE FROM ${table} WHERE ${key} = ?`, name);
  }
}
