import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JournalEntry, payerText, readPayer } from "@ledge/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Journal } from "./journal.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ledge-journal-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const november = Date.parse("2026-11-25T12:00:00Z");

function entry(call: string, more: Partial<JournalEntry> = {}): JournalEntry {
  const named = { call, tenant: "acme", request_id: "r", action: "chat", model: "m", version: "1" } as const;
  return { ...named, input_tokens: 1, output_tokens: 2, run_ms: 3, at_ms: november, ...more };
}

/** All pages from a place on. */
function readAll(journal: Journal, tenant: string, from = ""): { calls: readonly string[]; next: string } {
  const calls: string[] = [];
  for (let after = from; ; ) {
    const { entries, next, more } = journal.read(tenant, after);
    calls.push(...entries.map(({ call }) => call));
    after = next;
    if (!more) return { calls, next };
  }
}

test("gives back each call once, in order, and goes on where a page ended", () => {
  const journal = new Journal(dir, november);
  for (let i = 0; i < 3; i++) journal.write(entry(`a${i}`));
  const first = readAll(journal, "acme");
  expect(first.calls).toEqual(["a0", "a1", "a2"]);
  journal.write(entry("a3"));
  expect(readAll(journal, "acme", first.next).calls).toEqual(["a3"]);
  expect(readAll(journal, "acme", readAll(journal, "acme").next).calls).toEqual([]);
});

test("keeps tenants apart, whatever they are called", () => {
  const journal = new Journal(dir, november);
  const names = ["acme", "../acme", "Ä/ö", "a".repeat(128)];
  for (const tenant of names) journal.write(entry(`of ${tenant}`, { tenant }));
  for (const tenant of names) expect(readAll(journal, tenant).calls).toEqual([`of ${tenant}`]);
  expect(readAll(journal, "nobody").calls).toEqual([]);
});

test("is read over the end of a month and in many pages", () => {
  const journal = new Journal(dir, november);
  const calls = Array.from({ length: 9_000 }, (_, i) => `call-${i}`);
  for (const [i, call] of calls.entries()) {
    journal.write(entry(call, { at_ms: i < 8_000 ? november : Date.parse("2026-12-01T00:00:00Z") }));
  }
  expect(readAll(journal, "acme").calls).toEqual(calls);
});

test("survives a restart, and passes over a line that a crash cut off", () => {
  new Journal(dir, november).write(entry("before"));
  const [file = ""] = readdirSync(dir);
  appendFileSync(join(dir, file), '{"call":"cut');
  const after = new Journal(dir, november);
  expect(readAll(after, "acme").calls).toEqual(["before"]);
  after.write(entry("after"));
  expect(readAll(after, "acme").calls).toEqual(["before", "after"]);
});

test("drops months that no ledger asks for any more, and nothing else that lies there", () => {
  const old = `${"0".repeat(64)}.2026-05.jsonl`;
  for (const name of [old, "notes.txt"]) writeFileSync(join(dir, name), "");
  const journal = new Journal(dir, november);
  journal.write(entry("a"));
  expect(readdirSync(dir)).not.toContain(old);
  expect(readdirSync(dir)).toContain("notes.txt");
});

test("takes for a payer only what a gateway wrote", () => {
  const payer = { call: "i.1", tenant: "Ä;ö", user: "eve@example.com", action: "chat" } as const;
  expect(readPayer(payerText(payer))).toEqual(payer);
  for (const text of ["", "i.1", "a;b;c", ";t;;;;chat", "i.1;%zz;;;;chat"]) expect(readPayer(text)).toBeUndefined();
});
