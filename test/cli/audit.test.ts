import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type AuditHead, auditHash, auditStart, type ChainedRow } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { done, newKey } from "../support/directory.ts";
import { startFakeAdmin } from "../support/fake-admin.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { adminKey, startEdge, type TestEdge } from "../support/ledge.ts";
import { admin, echoInference } from "../support/registry.ts";

/** `ledge audit verify` against audits that somebody edited behind the objects' backs: in SQLite's own files. */

const dataDir = mkdtempSync(join(tmpdir(), "ledge-audit-"));
let edge: TestEdge;
const start = async () => {
  edge = await startEdge({ standIns: { inference: echoInference }, dataDir });
};

beforeAll(async () => {
  await start();
  for (const tenant of ["a", "b", "c"]) await newKey(edge, { tenant });
  for (const ttl_s of [60, 61, 62]) await done(edge, "PUT", "/models/intent/cache", { ttl_s });
  for (const num_versions of [2, 3]) await done(edge, "PUT", "/models/intent/policy", { latest: { num_versions } });
});
afterAll(async () => {
  await edge.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function ledge(line: string, url = edge.url) {
  const terminal = fakeTerminal({ env: { LEDGE_ADMIN_KEY: adminKey, LEDGE_URL: url } });
  const code = await main(line.split(" "), terminal);
  return { code, said: terminal.said.join("\n"), printed: terminal.printed.join("\n") };
}

const heads = async (): Promise<Record<string, AuditHead>> => {
  const { code, said, printed } = await ledge("audit verify --json");
  expect([code, said]).toEqual([0, expect.stringContaining("No row was edited")]);
  return JSON.parse(printed);
};
const rowsOf = async (log: string) =>
  (await done<{ rows: ChainedRow[] }>(edge, "GET", `/audit?log=${log}&after=0&limit=1000`)).rows;

/** The databases of the objects that keep an audit, by what is in their first row. */
function databases(): ReadonlyMap<string, DatabaseSync> {
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".sqlite"))
    .map((entry) => join(entry.parentPath, entry.name));
  const found = new Map<string, DatabaseSync>();
  for (const file of files) {
    const database = new DatabaseSync(file);
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all()
      .map(({ name }) => name);
    const kind = ["members", "versions", "keyrings"].find((name) => tables.includes(name));
    if (tables.includes("audit_log") && kind !== undefined) found.set(kind, database);
    else database.close();
  }
  return found;
}

/** Stops everything, edits the files, starts again. */
async function edited(log: string, edit: (database: DatabaseSync) => void): Promise<void> {
  const table = { directory: "members", registry: "versions", cache: "keyrings" }[log] ?? "";
  await edge.close();
  const open = databases();
  const database = open.get(table);
  if (database !== undefined) edit(database);
  for (const one of open.values()) one.close();
  expect(database, `the database of the ${log}`).toBeDefined();
  await start();
}

describe("ledge audit verify", () => {
  test("finds every log whole, and prints each one's head", async () => {
    const known = await heads();
    expect(Object.keys(known)).toEqual(["registry", "cache", "directory"]);
    for (const [log, { rows, hash }] of Object.entries(known)) {
      const kept = await rowsOf(log);
      expect([log, rows, hash]).toEqual([log, kept.length, kept.at(-1)?.hash]);
      expect(rows).toBeGreaterThan(2);
    }
    const { printed } = await ledge("audit verify");
    expect(printed).toContain(known.directory?.hash);
  });

  test.each(["directory", "registry", "cache"])("finds an edit and a removal in the log of the %s", async (log) => {
    const rows = await rowsOf(log);
    const target = rows.at(-2)?.number ?? 0;
    await edited(log, (db) => {
      db.exec("CREATE TABLE saved AS SELECT number, row, hash FROM audit_log");
      db.exec(`UPDATE audit_log SET row = json_set(row, '$.who', 'somebody-else') WHERE number = ${target}`);
    });
    expect(await broken()).toBe(`The audit of the ${log} is broken: row ${target}`);
    await edited(log, (db) => db.exec(`DELETE FROM audit_log WHERE number = ${target}`));
    expect(await broken()).toBe(`The audit of the ${log} is broken: row ${rows.at(-1)?.number}`);
    await edited(log, restore);
    await heads();
  });

  test("finds that the end was cut off by a head that was kept elsewhere", async () => {
    const kept = (await heads()).directory?.hash;
    expect((await ledge(`audit verify --head ${kept}`)).code).toBe(0);
    await edited("directory", (db) => {
      db.exec("DELETE FROM audit_log WHERE number = (SELECT max(number) FROM audit_log)");
    });
    expect((await ledge("audit verify")).code).toBe(0);
    const cut = await ledge(`audit verify --head ${kept}`);
    expect([cut.code, cut.said]).toEqual([1, `No row has the hash ${kept}: rows were cut off.`]);
  });

  test("finds rows of before there was a chain at its beginning, as they were", async () => {
    const before = await rowsOf("registry");
    await edited("registry", (db) => {
      db.exec(`CREATE TABLE audit (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
        model TEXT, from_json TEXT NOT NULL, to_json TEXT NOT NULL, reason TEXT)`);
      db.exec(`INSERT INTO audit SELECT number, row ->> 'atMs', row ->> 'who', row ->> 'kind', row ->> 'model', row -> 'from', row -> 'to',
        row ->> 'reason' FROM audit_log`);
      db.exec("DELETE FROM audit_log");
    });
    expect(await rowsOf("registry")).toEqual(before);
    await heads();
  });

  test("reads on where one answer ends", async () => {
    const fake = await startFakeAdmin();
    const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");
    let hash = auditStart;
    const rows = Array.from({ length: 1_500 }, (_, i) => {
      const row = { number: i + 1, atMs: i, who: "operator", kind: "set-tier", from: null, to: i };
      hash = auditHash(hash, row, sha256Hex);
      return { ...row, log: "directory", hash };
    });
    const page = (log: string, after: number, of: object[]) =>
      fake.answers.set(`GET /audit?log=${log}&after=${after}&limit=1000`, [200, { rows: of }]);
    page("registry", 0, []);
    page("cache", 0, []);
    page("directory", 0, rows.slice(0, 1_000));
    page("directory", 1_000, rows.slice(1_000));
    const { printed } = await ledge("audit verify --json", fake.url);
    expect(JSON.parse(printed).directory).toEqual({ rows: 1_500, number: 1_500, hash });
    page("directory", 1_000, rows.slice(1_001));
    expect((await ledge("audit verify", fake.url)).code).toBe(1);
    await fake.close();
  });
});

/** The beginning of what is said of a broken log. */
async function broken(): Promise<string | undefined> {
  const { code, said, printed } = await ledge("audit verify");
  expect([code, printed]).toEqual([1, ""]);
  return said.split(" does not follow")[0];
}

function restore(db: DatabaseSync): void {
  db.exec("DELETE FROM audit_log");
  db.exec("INSERT INTO audit_log (number, row, hash) SELECT number, row, hash FROM saved");
  db.exec("DROP TABLE saved");
}

test("the audit takes a log, a model and where to go on, and shows the newest of all logs when it is told nothing", async () => {
  const { rows } = (await admin(edge, "GET", "/audit?limit=1000")).body as { rows: ChainedRow[] };
  expect(new Set(rows.map(({ log }) => log)).size).toBeGreaterThan(1);
  const times = rows.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect((await ledge("audit --log cache")).printed).toMatch(/^cache +[0-9]+ +20.*set-policy +model:intent/m);
  expect((await ledge("audit --model intent --limit 1")).printed).toMatch(/^registry .* set-policy +intent /m);
});
