import type {
  DirectoryAdmin,
  DirectoryKey,
  DirectoryMember,
  DirectoryProject,
  DirectoryTenant,
  Terms,
} from "@ledge/contract";
import { type DirectoryView, type DirectoryWrite, shippedTerms } from "@ledge/policy";
import { AuditLog } from "./audit-log.ts";
import { keyKey, tenantKey, termsKey } from "./directory-published.ts";
import type { Sql } from "./tally-store.ts";

/** One row an entry, its text in JSON; columns beside it are what is looked for, empty where there is none. */
const tables = `
  CREATE TABLE IF NOT EXISTS tenants (tenant TEXT PRIMARY KEY, plan TEXT NOT NULL, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS deleted_tenants (tenant TEXT PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS projects (tenant TEXT, project TEXT, json TEXT NOT NULL, PRIMARY KEY (tenant, project));
  CREATE TABLE IF NOT EXISTS members (tenant TEXT, user TEXT, json TEXT NOT NULL, PRIMARY KEY (tenant, user));
  CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, project TEXT NOT NULL,
    user TEXT NOT NULL, tier TEXT NOT NULL,
       revoked INTEGER NOT NULL, json TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS keys_by_tenant ON keys (tenant, id);
  CREATE INDEX IF NOT EXISTS keys_by_tier ON keys (tier, revoked);
  CREATE INDEX IF NOT EXISTS tenants_by_plan ON tenants (plan);
  CREATE TABLE IF NOT EXISTS admins (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS unpublished (key TEXT PRIMARY KEY);
`;

/** Which keys; all of them without a filter. By id, after one. */
export interface KeyFilter {
  readonly tenant?: string;
  readonly project?: string;
  readonly user?: string;
  readonly revoked?: boolean;
  readonly after?: string;
  readonly limit?: number;
}

interface Json extends Record<string, string> {
  readonly json: string;
}

/** The directory on its Durable Object's SQLite. Every method is synchronous, so callers see no half-done change. */
export class DirectoryStore implements DirectoryView {
  readonly log: AuditLog;
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(tables);
    this.log = new AuditLog(sql);
    // Plans that can be given to tenants must be there for gateways too.
    if (this.#one("SELECT json FROM meta WHERE key = 'terms'") === undefined) this.#saveTerms(shippedTerms);
  }

  tenant(name: string): DirectoryTenant | undefined {
    return this.#one("SELECT json FROM tenants WHERE tenant = ?", name);
  }

  /** By name. */
  tenants(after: string, limit: number): readonly DirectoryTenant[] {
    return this.#all("SELECT json FROM tenants WHERE tenant > ? ORDER BY tenant LIMIT ?", after, limit);
  }

  wasDeleted(name: string): boolean {
    return this.#sql.exec("SELECT tenant FROM deleted_tenants WHERE tenant = ?", name).toArray().length > 0;
  }

  tenantOn(plan: string): string | undefined {
    return this.#one<DirectoryTenant>("SELECT json FROM tenants WHERE plan = ? LIMIT 1", plan)?.tenant;
  }

  project(tenant: string, project: string): DirectoryProject | undefined {
    return this.#one("SELECT json FROM projects WHERE tenant = ? AND project = ?", tenant, project);
  }

  projects(tenant: string): readonly DirectoryProject[] {
    return this.#all("SELECT json FROM projects WHERE tenant = ? ORDER BY project", tenant);
  }

  member(tenant: string, user: string): DirectoryMember | undefined {
    return this.#one("SELECT json FROM members WHERE tenant = ? AND user = ?", tenant, user);
  }

  members(tenant: string): readonly DirectoryMember[] {
    return this.#all("SELECT json FROM members WHERE tenant = ? ORDER BY user", tenant);
  }

  key(id: string): DirectoryKey | undefined {
    return this.#one("SELECT json FROM keys WHERE id = ?", id);
  }

  keysOf(tenant: string, of: { readonly user?: string; readonly project?: string } = {}): readonly DirectoryKey[] {
    return this.keys({ tenant, ...of });
  }

  keys({ tenant, project, user, revoked = false, after = "", limit = -1 }: KeyFilter): readonly DirectoryKey[] {
    const filters = Object.entries({ tenant, project, user }).filter(([, value]) => value !== undefined);
    const where = ["id > ?", ...(revoked ? [] : ["revoked = 0"]), ...filters.map(([name]) => `${name} = ?`)];
    const values = filters.map(([, value]) => String(value));
    return this.#all(`SELECT json FROM keys WHERE ${where.join(" AND ")} ORDER BY id LIMIT ?`, after, ...values, limit);
  }

  keyOn(tier: string): string | undefined {
    return this.#one<DirectoryKey>("SELECT json FROM keys WHERE tier = ? AND revoked = 0 LIMIT 1", tier)?.id;
  }

  /** How much of a tenant there is; revoked keys are not counted. */
  counts(tenant: string): { readonly projects: number; readonly members: number; readonly keys: number } {
    const count = (table: string, more = "") =>
      this.#sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE tenant = ?${more}`, tenant).toArray()[0]
        ?.n ?? 0;
    return { projects: count("projects"), members: count("members"), keys: count("keys", " AND revoked = 0") };
  }

  admin(name: string): DirectoryAdmin | undefined {
    return this.#one("SELECT json FROM admins WHERE name = ?", name);
  }

  adminByHash(hash: string): DirectoryAdmin | undefined {
    return this.#one("SELECT json FROM admins WHERE hash = ?", hash);
  }

  admins(): readonly DirectoryAdmin[] {
    return this.#all("SELECT json FROM admins ORDER BY name");
  }

  terms(): Terms {
    return this.#one<Terms>("SELECT json FROM meta WHERE key = 'terms'") ?? shippedTerms;
  }

  /** Keys of what KV does not have as it is, so many at most. */
  unpublished(limit: number): readonly string[] {
    const rows = this.#sql.exec<{ key: string }>("SELECT key FROM unpublished LIMIT ?", limit).toArray();
    return rows.map(({ key }) => key);
  }

  isUnpublished(key: string): boolean {
    return this.#sql.exec("SELECT key FROM unpublished WHERE key = ?", key).toArray().length > 0;
  }

  isPublished(key: string): void {
    this.#sql.exec("DELETE FROM unpublished WHERE key = ?", key);
  }

  /** Writes an entry, and gives the keys of what is to be published of it. */
  write(write: DirectoryWrite): readonly string[] {
    switch (write.entry) {
      case "tenant":
        return write.is === null ? this.#deleteTenant(write.tenant) : this.#saveTenant(write.is);
      case "project":
        this.#save("projects", "project", write.tenant, write.project, write.is);
        return [];
      case "member":
        this.#save("members", "user", write.tenant, write.user, write.is);
        return [];
      case "key":
        return this.#saveKey(write.is);
      case "terms":
        return this.#saveTerms(write.is);
      case "admin":
        this.#sql.exec(
          "INSERT OR REPLACE INTO admins VALUES (?, ?, ?)",
          write.is.name,
          write.is.hash,
          JSON.stringify(write.is),
        );
        return [];
    }
  }

  #saveTenant(is: DirectoryTenant): readonly string[] {
    this.#sql.exec(
      "INSERT OR REPLACE INTO tenants VALUES (?, ?, ?)",
      is.tenant,
      is.settings.plan ?? "",
      JSON.stringify(is),
    );
    this.#sql.exec("DELETE FROM deleted_tenants WHERE tenant = ?", is.tenant);
    return this.#toPublish(tenantKey(is.tenant));
  }

  #deleteTenant(tenant: string): readonly string[] {
    const keys = this.keysOf(tenant).flatMap(({ id }) => this.#toPublish(keyKey(id)));
    for (const table of ["tenants", "projects", "members", "keys"]) {
      this.#sql.exec(`DELETE FROM ${table} WHERE tenant = ?`, tenant);
    }
    this.#sql.exec("INSERT OR REPLACE INTO deleted_tenants VALUES (?)", tenant);
    return [...keys, ...this.#toPublish(tenantKey(tenant))];
  }

  #saveKey(is: DirectoryKey): readonly string[] {
    const { id, tenant, project = "", user = "", tier = "", revokedAtMs } = is;
    const values = [id, tenant, project, user, tier, revokedAtMs === undefined ? 0 : 1, JSON.stringify(is)];
    this.#sql.exec("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?, ?)", ...values);
    return this.#toPublish(keyKey(id));
  }

  #saveTerms(is: Terms): readonly string[] {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES ('terms', ?)", JSON.stringify(is));
    return this.#toPublish(termsKey);
  }

  #save(table: "projects" | "members", column: string, tenant: string, name: string, is: object | null): void {
    if (is === null) this.#sql.exec(`DELETE FROM ${table} WHERE tenant = ? AND ${column} = ?`, tenant, name);
    else this.#sql.exec(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`, tenant, name, JSON.stringify(is));
  }

  #toPublish(key: string): readonly string[] {
    this.#sql.exec("INSERT OR IGNORE INTO unpublished VALUES (?)", key);
    return [key];
  }

  #one<T>(query: string, ...values: (string | number)[]): T | undefined {
    const row = this.#sql.exec<Json>(query, ...values).toArray()[0];
    return row === undefined ? undefined : JSON.parse(row.json);
  }

  #all<T>(query: string, ...values: (string | number)[]): readonly T[] {
    const rows = this.#sql.exec<Json>(query, ...values).toArray();
    return rows.map(({ json }) => JSON.parse(json));
  }
}
