import { DatabaseSync } from "node:sqlite";

type Value = string | number;

/** SQLite in memory behind the one method of a Durable Object's that stores use; and the database itself, for edits behind their backs. */
export function sqlite() {
  const db = new DatabaseSync(":memory:");
  const exec = <T extends Record<string, Value>>(query: string, ...values: Value[]) => {
    const tables = query.includes("CREATE TABLE");
    if (tables) db.exec(query);
    const rows = tables ? [] : db.prepare(query).all(...values);
    return { toArray: () => rows.map((row) => ({ ...row }) as T) };
  };
  return { db, sql: { exec } };
}
