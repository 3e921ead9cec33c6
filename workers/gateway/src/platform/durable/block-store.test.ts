import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { BlockStore } from "./block-store.ts";
import type { Sql } from "./tally-store.ts";

/** SQLite in memory behind the one method that the store uses. */
function sqlite() {
  const db = new DatabaseSync(":memory:");
  const exec = (query: string, ...values: (string | number)[]) => {
    if (query.includes("CREATE TABLE")) db.exec(query);
    const rows = query.includes("CREATE TABLE") ? [] : db.prepare(query).all(...values);
    return { toArray: () => rows };
  };
  return { exec } as unknown as Sql;
}

const startMs = Date.UTC(2026, 0, 1);
const block = (subject: string, atMs = startMs, more = {}) => ({
  subject,
  reason: "credentials" as const,
  atMs,
  untilMs: atMs + 60_000,
  times: 1,
  ...more,
});

test("the same block told again is listed once", () => {
  const store = new BlockStore(sqlite());
  store.add(block("ip:203.0.113.7"));
  store.add(block("ip:203.0.113.7"));
  expect(store.list(false, 10, startMs)).toEqual([
    {
      number: 1,
      subject: "ip:203.0.113.7",
      reason: "credentials",
      at: "2026-01-01T00:00:00.000Z",
      until: "2026-01-01T00:01:00.000Z",
      times: 1,
    },
  ]);
  expect(store.counts(startMs)).toEqual({ addresses: 1, callers: 0, active: 1 });
});

test("an isolate is told each block and each lift once, in their order, and a store that is opened again goes on", () => {
  const sql = sqlite();
  const store = new BlockStore(sql);
  store.add(block("ip:203.0.113.7"));
  store.add(block("key:a"));
  const first = store.changesAfter(0, startMs);
  expect(first.changes.map(({ subject }) => subject)).toEqual(["ip:203.0.113.7", "key:a"]);
  expect(store.changesAfter(first.number, startMs)).toEqual({ number: first.number, changes: [] });
  expect(store.lift("key:a", "operator", startMs + 1)).toBe(true);
  const again = new BlockStore(sql);
  const next = again.changesAfter(first.number, startMs + 1);
  expect(next.changes).toEqual([{ subject: "key:a", untilMs: 0 }]);
  again.add(block("key:a", startMs + 2));
  expect(again.changesAfter(next.number, startMs + 2).changes).toEqual([
    { subject: "key:a", untilMs: startMs + 60_002 },
  ]);
});

test("whoever is not blocked, or no longer, cannot be lifted", () => {
  const store = new BlockStore(sqlite());
  store.add(block("key:a"));
  expect(store.lift("key:b", "operator", startMs)).toBe(false);
  expect(store.lift("key:a", "operator", startMs + 60_000)).toBe(false);
  expect(store.lift("key:a", "operator", startMs)).toBe(true);
  expect(store.lift("key:a", "operator", startMs)).toBe(false);
});

test("many changes are told in parts, and none is left out", () => {
  const store = new BlockStore(sqlite(), { rowsMax: 1_000, changesMax: 10 });
  for (let i = 0; i < 25; i++) store.add(block(`key:${i}`));
  const told: string[] = [];
  let number = 0;
  for (let look = 0; look < 4; look++) {
    const { number: next, changes } = store.changesAfter(number, startMs);
    told.push(...changes.map(({ subject }) => subject));
    number = next;
  }
  expect(told).toEqual(Array.from({ length: 25 }, (_, i) => `key:${i}`));
});

test("blocks that have ended are forgotten beyond so many, and counted for ever", () => {
  const store = new BlockStore(sqlite(), { rowsMax: 5, changesMax: 10 });
  for (let i = 0; i < 20; i++) store.add(block(`key:${i}`, startMs + i * 120_000));
  const nowMs = startMs + 20 * 120_000;
  expect(store.list(true, 100, nowMs).length).toBe(5);
  expect(store.counts(nowMs)).toEqual({ addresses: 0, callers: 20, active: 0 });
});
