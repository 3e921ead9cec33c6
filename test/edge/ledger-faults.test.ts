import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LedgerAnswer, LedgerMessage, LedgerRow } from "@ledge/contract";
import { nothing } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";
import { publishTenant, totals, totalsOf, usage } from "../support/ledgers.ts";
import { storeKey } from "../support/stored-keys.ts";

/** The ledger's own object, told what isolates would tell it that repeat themselves, die, and come back. */

let edge: TestEdge;

beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());

interface LedgerObject {
  report(tenant: string, message: LedgerMessage): Promise<LedgerAnswer>;
}

async function ledgerOf(tenant: string): Promise<(message: Partial<LedgerMessage>) => Promise<LedgerAnswer>> {
  const ledgers = await edge.miniflare.getDurableObjectNamespace("LEDGERS", "ledge-gateway");
  const ledger = ledgers.getByName(tenant) as unknown as LedgerObject;
  const rules = { quotas: { tokens_per_day: 1_000 }, timeZone: "UTC", notifyAt: [] };
  const plain: LedgerMessage = {
    isolate: "one",
    number: 1,
    rules,
    rows: [],
    keeps: nothing,
    keepsUntilMs: Date.now() + 60_000,
    demands: [],
    ahead: nothing,
  };
  return async (message) => ({ ...(await ledger.report(tenant, { ...plain, ...message })) });
}

function row(id: string, more: Partial<LedgerRow> = {}): LedgerRow {
  return {
    id,
    request_id: "r",
    at_ms: Date.now(),
    model: "m",
    version: "1",
    action: "chat",
    cache: "miss",
    input_tokens: 60,
    output_tokens: 40,
    cost: 5,
    list_cost: 5,
    latency_ms: 1,
    ...more,
  };
}

const tokens = (count: number) => ({ ...nothing, tokens: count });
const quotaOf = async (tenant: string) => (await usage(edge, `tenant=${tenant}`)).quotas[0];
/** Reports find a tenant once its ledger has said that it is there. */
const listed = (tenant: string) => until("the ledger is listed", async () => (await quotaOf(tenant)) !== undefined);

describe("a message", () => {
  test("that comes again is answered as before and counted once", async () => {
    const report = await ledgerOf("again");
    const message = { rows: [row("one.1")], demands: [tokens(700), tokens(300)], keeps: tokens(100) };
    const answers = [await report(message), await report(message), await report(message)];
    expect(answers[0]?.refusedUntilMs[0]).toBe(0);
    expect(answers[0]?.refusedUntilMs[1]).toBeGreaterThan(Date.now());
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    await listed("again");
    expect(await totals(edge, "again")).toMatchObject({ calls: 1, cost: 5 });
    expect(await quotaOf("again")).toMatchObject({ used: 100, reserved: 800, left: 100 });
  });

  test("with a row that was told by another isolate's does not count it again", async () => {
    const report = await ledgerOf("twice");
    await report({ rows: [row("one.1")] });
    await report({ isolate: "two", rows: [row("one.1"), row("two.1")] });
    await listed("twice");
    expect(await totals(edge, "twice")).toMatchObject({ calls: 2, cost: 10 });
  });

  test("with a row that is none is taken all the same, without it", async () => {
    const report = await ledgerOf("wrong");
    await report({ rows: [row("one.1"), row("one.2", { cost: Number.NaN }), row("one.3", { input_tokens: 0.5 })] });
    await listed("wrong");
    expect(await totals(edge, "wrong")).toMatchObject({ calls: 1, cost: 5 });
    expect(edge.logs.filter((line) => line.includes("what an isolate told is no row"))).toHaveLength(2);
  });

  test("that says less is kept gives the rest to others at once", async () => {
    const report = await ledgerOf("less");
    await report({ demands: [tokens(900)] });
    expect((await report({ isolate: "two", demands: [tokens(500)] })).refusedUntilMs[0]).toBeGreaterThan(0);
    await report({ number: 2, rows: [row("one.1")] });
    expect((await report({ isolate: "two", number: 2, demands: [tokens(500)] })).refusedUntilMs).toEqual([0]);
  });
});

describe("an isolate that falls silent", () => {
  test("has what it held counted as used, until it speaks again", async () => {
    const report = await ledgerOf("silent");
    await report({ demands: [tokens(400)], keepsUntilMs: Date.now() - 1 });
    await listed("silent");
    await until("it is taken for dead", async () => (await totals(edge, "silent")).unreported.tokens === 400);
    expect(await quotaOf("silent")).toMatchObject({ used: 400, reserved: 0, left: 600 });
    // It was only slow: what it tells now is all that it used.
    await report({ number: 2, rows: [row("one.1")] });
    expect((await totals(edge, "silent")).unreported).toEqual(nothing);
    expect(await quotaOf("silent")).toMatchObject({ used: 100, left: 900 });
  });
});

test("a restart of the edge neither forgives nor charges twice", async () => {
  const origin = await startFakeOrigin({ tokens: ["a"] });
  const dataDir = mkdtempSync(join(tmpdir(), "ledge-quota-"));
  const body = { model: "tiny-chat", messages: [{ role: "user", content: "one" }], max_tokens: 1 };
  const before = await startEdge({ dataDir, originUrl: origin.url });
  await publishTenant(before, "acme", { calls_per_day: 3 });
  const { key } = await storeKey(before);
  for (let call = 0; call < 2; call++) expect((await before.post("/v1/chat/completions", key, body)).status).toBe(200);
  await totalsOf(before, "acme", 2);
  await before.close();
  const after = await startEdge({ dataDir, originUrl: origin.url });
  const statuses = [];
  for (let call = 0; call < 3; call++) statuses.push((await after.post("/v1/chat/completions", key, body)).status);
  expect(statuses).toEqual([200, 429, 429]);
  expect((await totalsOf(after, "acme", 3)).calls).toBe(3);
  await after.close();
  await origin.close();
  rmSync(dataDir, { recursive: true });
});
