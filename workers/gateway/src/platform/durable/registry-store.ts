import {
  type AuditRow,
  emptyRegistry,
  type RegisteredModel,
  type RegisteredVersion,
  type RegistryState,
} from "@ledge/contract";
import { AuditLog } from "./audit-log.ts";

/** The registry's tables. One row a model and one a version, because a row of SQLite here holds 2 MB at most. */
const tables = `
  CREATE TABLE IF NOT EXISTS models (name TEXT PRIMARY KEY, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS versions (model TEXT, version INTEGER, json TEXT NOT NULL, PRIMARY KEY (model, version));
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, json TEXT NOT NULL);
`;

/** The registry on its Durable Object's SQLite. Every method is synchronous, so callers see no half-done change. */
export class RegistryStore {
  readonly log: AuditLog;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(tables);
    this.log = new AuditLog(sql);
    this.#chainOldRows();
  }

  load(): RegistryState {
    const models: Record<string, RegisteredModel> = {};
    for (const { name, json } of this.#sql.exec<{ name: string; json: string }>("SELECT name, json FROM models")) {
      const versions = this.#sql
        .exec<{ json: string }>("SELECT json FROM versions WHERE model = ? ORDER BY version", name)
        .toArray()
        .map((row) => JSON.parse(row.json) as RegisteredVersion);
      models[name] = { ...JSON.parse(json), versions };
    }
    return { ...emptyRegistry, ...this.meta<Partial<RegistryState>>("state"), models };
  }

  /** Writes what differs. Unchanged models and versions are the same objects in both states. */
  save(before: RegistryState, after: RegistryState): void {
    for (const name of Object.keys({ ...before.models, ...after.models })) {
      this.#saveModel(name, before.models[name], after.models[name]);
    }
    const { models: _models, ...rest } = after;
    this.setMeta("state", rest);
  }

  #saveModel(name: string, before: RegisteredModel | undefined, after: RegisteredModel | undefined): void {
    if (before === after) return;
    const kept = new Set(after?.versions);
    for (const version of before?.versions ?? []) {
      if (!kept.has(version)) {
        this.#sql.exec("DELETE FROM versions WHERE model = ? AND version = ?", name, Number(version.version));
      }
    }
    if (after === undefined) {
      this.#sql.exec("DELETE FROM models WHERE name = ?", name);
      return;
    }
    const known = new Set(before?.versions);
    for (const version of after.versions) {
      if (known.has(version)) continue;
      const row = [name, Number(version.version), JSON.stringify(version)];
      this.#sql.exec("INSERT OR REPLACE INTO versions VALUES (?, ?, ?)", ...row);
    }
    const { versions: _versions, ...rest } = after;
    this.#sql.exec("INSERT OR REPLACE INTO models VALUES (?, ?)", name, JSON.stringify(rest));
  }

  /** What is kept beside the models: `undefined` when it never was. */
  meta<T>(key: string): T | undefined {
    const row = this.#sql.exec<{ json: string }>("SELECT json FROM meta WHERE key = ?", key).toArray()[0];
    return row === undefined ? undefined : JSON.parse(row.json);
  }

  setMeta(key: string, value: unknown): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, JSON.stringify(value));
  }

  /** Rows were not chained once, and lay in a table of their own: they become the beginning of the chain. */
  #chainOldRows(): void {
    if (this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'audit'").toArray().length === 0) return;
    const rows = this.#sql.exec<Record<string, SqlStorageValue>>("SELECT * FROM audit ORDER BY number").toArray();
    for (const row of rows) this.log.add(auditRowOf(row));
    this.#sql.exec("DROP TABLE audit");
  }
}

function auditRowOf(row: Record<string, SqlStorageValue>): AuditRow {
  return {
    number: Number(row.number),
    atMs: Number(row.at_ms),
    who: String(row.who),
    kind: String(row.kind),
    ...(row.model === null ? {} : { model: String(row.model) }),
    from: JSON.parse(String(row.from_json)),
    to: JSON.parse(String(row.to_json)),
    ...(row.reason === null ? {} : { reason: String(row.reason) }),
  };
}
