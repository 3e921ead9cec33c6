import { DurableObject } from "cloudflare:workers";
import type { OperatorEnv } from "../../env.ts";

/** The tenants that have a ledger: for reports on all of them. */
export class LedgerList extends DurableObject<OperatorEnv> {
  constructor(ctx: DurableObjectState, env: OperatorEnv) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS tenants (tenant TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  note(tenant: string): void {
    this.ctx.storage.sql.exec("INSERT OR IGNORE INTO tenants VALUES (?)", tenant);
  }

  tenants(): readonly string[] {
    const rows = this.ctx.storage.sql.exec<{ tenant: string }>("SELECT tenant FROM tenants ORDER BY tenant").toArray();
    return rows.map(({ tenant }) => tenant);
  }
}
