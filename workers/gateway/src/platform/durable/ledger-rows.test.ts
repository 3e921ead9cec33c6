import { DatabaseSync } from "node:sqlite";
import { type LedgerRow, nothing } from "@ledge/contract";
import { latencyClass, packSums, type Sums } from "@ledge/policy";
import { beforeEach, describe, expect, test } from "vitest";
import { hourMs, LedgerRows, othersKey, type Series, type Sql, seriesPerHourMax } from "./ledger-rows.ts";

/** Node's SQLite with the interface of a Durable Object's. */
function sqlOf(database: DatabaseSync): Sql {
  return {
    exec(query, ...values) {
      if (values.length === 0 && query.includes("CREATE TABLE")) {
        database.exec(query);
        return { toArray: () => [] };
      }
      const bound = values.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
      const statement = database.prepare(query);
      const rows = statement.all(...bound).map((row) => Object.fromEntries(Object.entries(row).map(plain)));
      return { toArray: () => rows as never };
    },
  };
}

function plain([name, value]: [string, unknown]) {
  if (!(value instanceof Uint8Array)) return [name, value];
  return [name, value.slice().buffer];
}

const startMs = Date.parse("2026-11-25T00:00:00Z");
let database: DatabaseSync;
let rows: LedgerRows;

beforeEach(() => {
  database = new DatabaseSync(":memory:");
  rows = new LedgerRows(sqlOf(database));
});

function row(id: string, more: Partial<LedgerRow> = {}): LedgerRow {
  return {
    id,
    request_id: "r",
    at_ms: startMs + 1_000,
    key: "k",
    model: "m",
    version: "1",
    action: "chat",
    tier: "origin",
    cache: "miss",
    input_tokens: 3,
    output_tokens: 4,
    cost: 126,
    list_cost: 126,
    latency_ms: 20,
    ...more,
  };
}

function total(of: (sums: Sums) => number = ({ calls }) => calls): number {
  return [...rows.hours(startMs, startMs + 366 * 24 * hourMs)].reduce((sum, { sums }) => sum + of(sums), 0);
}

describe("a row", () => {
  test("is there once however often it is added", () => {
    expect([rows.add(row("a"), "edge"), rows.add(row("a"), "edge"), rows.add(row("a"), "journal")]).toEqual([
      true,
      false,
      false,
    ]);
    expect(rows.page("", 10)).toEqual([row("a")]);
    expect(total()).toBe(1);
    expect(rows.window("day", startMs).used).toEqual({ calls: 1, tokens: 7, microcents: 126 });
  });

  test("that a journal told is replaced by what its isolate tells", () => {
    rows.window("day", startMs);
    rows.add(row("a", { cost: 100, output_tokens: 2 }), "journal");
    expect(rows.window("day", startMs).used).toEqual({ calls: 1, tokens: 5, microcents: 100 });
    rows.add(row("a", { arm: "r:1" }), "edge");
    expect(rows.window("day", startMs).used).toEqual({ calls: 1, tokens: 7, microcents: 126 });
    expect(rows.page("", 10)).toEqual([row("a", { arm: "r:1" })]);
    expect([total(), total(({ cost }) => cost)]).toEqual([1, 126]);
  });

  test("counts in the day and the month that it ended in, where the tenant is", () => {
    rows.setTimeZone("Asia/Kolkata");
    rows.add(row("a", { at_ms: Date.parse("2026-11-25T18:29:59Z") }), "edge");
    rows.add(row("b", { at_ms: Date.parse("2026-11-25T18:30:00Z") }), "edge");
    const used = (at: string) => rows.window("day", Date.parse(at)).used.calls;
    expect([used("2026-11-25T12:00:00Z"), used("2026-11-26T12:00:00Z")]).toEqual([1, 1]);
    expect(rows.window("month", startMs).used.calls).toBe(2);
  });
});

test("a window says what its rows and what was never told add up to, in whichever order they came", () => {
  rows.window("month", startMs);
  for (let i = 0; i < 50; i++) rows.add(row(`e${i}`, { cost: i }), i % 2 === 0 ? "edge" : "journal");
  rows.setUnreported("dead", startMs + 5, { calls: 3, tokens: 100, microcents: 9 });
  for (let i = 0; i < 50; i++) rows.add(row(`e${i}`, { cost: 2 * i }), "edge");
  rows.setUnreported("dead", startMs + 5, { calls: 1, tokens: 20, microcents: 1 });
  const { startMs: from, endMs, used } = rows.window("month", startMs);
  expect(used).toEqual(rows.usedBetween(from, endMs));
  rows.setUnreported("dead", startMs + 5, nothing);
  expect(rows.window("month", startMs).used).toEqual(rows.usedBetween(from, endMs));
  expect(rows.unreportedBetween(from, endMs)).toEqual(nothing);
});

test("a zone that changes has days and months counted anew", () => {
  rows.add(row("a", { at_ms: startMs + 20 * hourMs }), "edge");
  expect(rows.window("day", startMs + 20 * hourMs).used.calls).toBe(1);
  rows.setTimeZone("Asia/Kolkata");
  expect(rows.window("day", startMs + 12 * hourMs).used.calls).toBe(0);
  expect(rows.window("day", startMs + 20 * hourMs).used.calls).toBe(1);
});

test("sums outlive their rows: rows go after 35 days, hours after a year", () => {
  rows.add(row("a"), "edge");
  rows.prune(startMs + 36 * 24 * hourMs);
  expect(rows.page("", 10)).toEqual([]);
  expect(total(({ cost }) => cost)).toBe(126);
  rows.prune(startMs + 367 * 24 * hourMs);
  expect(total()).toBe(0);
});

test("an hour of too many keys and users tells the rest of them together, and loses none of what they used", () => {
  rows = new LedgerRows(sqlOf(new DatabaseSync(":memory:")), { seriesPerHourMax: 10 });
  for (let i = 0; i < 100; i++) rows.add(row(`r${i}`, { key: `k${i}` }), "edge");
  const keys = [...rows.hours(startMs, startMs + hourMs)].map(({ series }: { series: Series }) => series.key);
  expect(keys).toHaveLength(11);
  expect(keys).toContain(othersKey);
  expect([total(), total(({ cost }) => cost)]).toEqual([100, 12_600]);
});

/** A thousand calls, or the first of them, with latencies over some three octaves. */
function busySums(seed: number, calls: number): Sums {
  const latency = new Map<number, number>();
  for (let call = 0; call < calls; call++) {
    const spread = Math.sin(seed + call) + Math.sin(7 * call) + Math.sin(13 * call + seed);
    const index = latencyClass(40 * Math.exp(spread / 1.5));
    latency.set(index, (latency.get(index) ?? 0) + 1);
  }
  return {
    calls,
    failures: Math.floor(calls / 100),
    inputTokens: calls * 311,
    outputTokens: calls * 97,
    cost: calls * 123_456,
    listCost: calls * 234_567,
    edgeSaved: calls * 12_345,
    latency,
  };
}

test("a year of hours of a busy tenant takes at most 50 MB", () => {
  const hours = 48;
  const stages = [1, 30, 1_000].map((calls) =>
    Array.from({ length: 16 }, (_, seed) => packSums(busySums(seed, calls))),
  );
  const put = database.prepare("INSERT OR REPLACE INTO hours VALUES (?, ?, ?)");
  const shuffled = (step: number) => Array.from({ length: seriesPerHourMax }, (_, i) => (i * step) % seriesPerHourMax);
  // Every hour has as many series as it may, which begin one after the other and grow all hour.
  for (let hour = 490_000; hour < 490_000 + hours; hour++) {
    for (const sums of stages) {
      for (const series of shuffled(7)) put.run(hour, series, sums[(hour + series) % 16] ?? "");
    }
  }
  const [size] = database.prepare("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name = 'hours'").all();
  const yearBytes = (Number(size?.bytes) / hours) * 24 * 366;
  expect(yearBytes).toBeLessThan(50e6);
});
