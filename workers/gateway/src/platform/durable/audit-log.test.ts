import { createHash } from "node:crypto";
import { type AuditHead, type AuditRow, auditHash, auditHeadStart, auditStart, checkAudit } from "@ledge/contract";
import { beforeEach, describe, expect, test } from "vitest";
import { sqlite } from "../../../../../test/support/sqlite.ts";
import { AuditLog } from "./audit-log.ts";

const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");

let db: ReturnType<typeof sqlite>["db"];
let log: AuditLog;

const rowOf = (number: number, more: Partial<AuditRow> = {}): AuditRow => ({
  number,
  atMs: number * 10,
  who: "operator",
  kind: "set-stable",
  model: "intent",
  from: { b: 1, a: "ö" },
  to: [number, null],
  ...more,
});

beforeEach(() => {
  const made = sqlite();
  db = made.db;
  log = new AuditLog(made.sql);
  for (const number of [1, 2, 5, 6, 7]) log.add(rowOf(number));
});

/** As an operator checks it: page by page, as rows come over the wire. */
function checked(): { readonly head: AuditHead; readonly brokenAt?: number } {
  let head = auditHeadStart;
  for (;;) {
    const rows = log.read({ after: head.number, limit: 2 }).map((row) => ({ ...row, log: "registry" }));
    const page = checkAudit(head, JSON.parse(JSON.stringify(rows)), sha256Hex);
    if (page.brokenAt !== undefined || rows.length < 2) return page;
    head = page.head;
  }
}

describe("an audit", () => {
  test("that nobody touched is whole: each row's hash is over the one before and the row's canonical JSON", () => {
    const [first, second] = log.read({ after: 0, limit: 2 });
    expect(first?.hash).toBe(auditHash(auditStart, rowOf(1), sha256Hex));
    expect(first?.hash).toBe(
      sha256Hex(
        `${"0".repeat(64)}{"atMs":10,"from":{"a":"ö","b":1},"kind":"set-stable","model":"intent","number":1,"to":[1,null],"who":"operator"}`,
      ),
    );
    expect(second?.hash).toBe(auditHash(first?.hash ?? "", rowOf(2), sha256Hex));
    expect(checked()).toEqual({ head: { rows: 5, number: 7, hash: log.read({ limit: 1 })[0]?.hash } });
  });

  test("is read by its newest rows, after a number, and by what it is about", () => {
    log.add(rowOf(8, { model: "other" }));
    const numbers = (query: Parameters<AuditLog["read"]>[0]) => log.read(query).map(({ number }) => number);
    expect(numbers({ limit: 2 })).toEqual([7, 8]);
    expect(numbers({ after: 2, limit: 2 })).toEqual([5, 6]);
    expect(numbers({ about: "intent", limit: 2 })).toEqual([6, 7]);
    expect(numbers({ about: "other", after: 0, limit: 9 })).toEqual([8]);
    expect(log.number()).toBe(8);
  });

  test("takes no row that does not come after all others", () => {
    expect(() => log.add(rowOf(7))).toThrow("past row 7");
    expect(checked().head.rows).toBe(5);
  });

  test.each([
    ["who", "UPDATE audit_log SET row = json_set(row, '$.who', 'x') WHERE number = 5", 5],
    ["what was before", "UPDATE audit_log SET row = json_set(row, '$.from.a', 'o') WHERE number = 5", 5],
    ["when", "UPDATE audit_log SET row = json_set(row, '$.atMs', 51) WHERE number = 5", 5],
    ["a member that nobody knows", "UPDATE audit_log SET row = json_set(row, '$.x', 1) WHERE number = 5", 5],
    ["the number in the row", "UPDATE audit_log SET row = json_set(row, '$.number', 4) WHERE number = 5", 4],
    ["the hash", "UPDATE audit_log SET hash = 'x' WHERE number = 5", 5],
    ["the first row's end", "DELETE FROM audit_log WHERE number = 1", 2],
    ["a row's removal", "DELETE FROM audit_log WHERE number = 5", 6],
    ["a number below all", "UPDATE audit_log SET number = -5 WHERE number = 5", 6],
  ])("is found broken by an edit of %s", (_what, edit, brokenAt) => {
    db.exec(edit);
    expect(checked().brokenAt).toBe(brokenAt);
  });

  test("is found broken when two rows changed places", () => {
    db.exec("UPDATE audit_log SET number = 0 WHERE number = 5");
    db.exec("UPDATE audit_log SET number = 5 WHERE number = 6");
    db.exec("UPDATE audit_log SET number = 6 WHERE number = 0");
    expect(checked().brokenAt).toBe(6);
  });

  test("is found broken by the row after one that was edited together with its hash", () => {
    const [, second] = log.read({ after: 0, limit: 2 });
    const forged = rowOf(5, { who: "x" });
    const hash = auditHash(second?.hash ?? "", forged, sha256Hex);
    db.prepare("UPDATE audit_log SET row = ?, hash = ? WHERE number = 5").run(JSON.stringify(forged), hash);
    expect(checked().brokenAt).toBe(6);
  });

  test("that lost its end is whole by itself: only a head that was kept elsewhere tells", () => {
    const { hash } = checked().head;
    db.exec("DELETE FROM audit_log WHERE number = 7");
    expect(checked().brokenAt).toBeUndefined();
    expect(log.read({ after: 0, limit: 9 }).map((row) => row.hash)).not.toContain(hash);
  });
});
