import { DatabaseSync } from "node:sqlite";

type Value = string | number | null | ArrayBuffer;

/** SQLite in memory behind the one method of a Durable Object's that stores use; and the database itself, for edits behind their backs. */
export function sqlite() {
  const db = new DatabaseSync(":memory:");
  const exec = <T extends Record<string, Value>>(query: string, ...values: Value[]) => {
    const tables = query.includes("CREATE TABLE");
    if (tables) db.exec(query);
    const rows = tables ? [] : db.prepare(query).all(...values.map(bytesOf));
    return { toArray: () => rows.map((row) => fromRow(row) as T) };
  };
  return { db, sql: { exec } };
}

/** Node's SQLite takes and gives blobs as views of bytes, a Durable Object's as buffers. */
function bytesOf(value: Value): string | number | null | Uint8Array {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

function fromRow(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const bytes = (value: unknown) => (value instanceof Uint8Array ? new Uint8Array(value).buffer : value);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, bytes(value)]));
}
