import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Amount,
  type JournalEntry,
  type JournalPage,
  type LedgerRow,
  type LedgerRowsAnswer,
  nothing,
  type ReconcileAnswer,
} from "@ledge/contract";
import { plus, quotaUse } from "@ledge/policy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomOf } from "../../scripts/simulate/random.ts";
import { type EdgeProcess, startEdgeProcess } from "../support/edge-process.ts";
import { adminKey, originSecret, startEdge, startOrigin, type TestEdge, until } from "../support/ledge.ts";
import { publishTenant, publishTerms, usage } from "../support/ledgers.ts";
import { storeKey } from "../support/stored-keys.ts";

/** The edge's process is killed at random points under load; afterwards its ledgers say what the origin's own journal says. */

const dir = mkdtempSync(join(tmpdir(), "ledge-ledger-"));
const dataDir = join(dir, "edge");
const tenants = ["with-quotas", "without"];
let origin: Awaited<ReturnType<typeof startOrigin>>;
const keys: string[] = [];

beforeAll(async () => {
  const script = JSON.stringify([{ name: "tiny-chat", tokens: ["a", "b"], endless: true, tokenMs: 2 }]);
  origin = await startOrigin({
    JOURNAL_DIR: join(dir, "journal"),
    // The test reads the journal itself.
    ORIGIN_AUTH: "either",
    MODELS: "none",
    FAKE_MODELS: script,
    CHAT_WAITING_MAX: "1000",
    CHAT_RUNNING_MAX: "8",
  });
  const first = await startEdge({ originUrl: origin.url, dataDir, gateway: calls });
  await publishTerms(first);
  await publishTenant(first, "with-quotas", {
    calls_per_month: 100_000,
    tokens_per_month: 50_000_000,
    microcents_per_day: 5e12,
  });
  for (const tenant of tenants) keys.push((await storeKey(first, { tenant })).key);
  await first.close();
});
afterAll(async () => {
  await origin.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Short, so that the ledger soon knows that an isolate is dead. */
const calls = { TIMEOUT_MS_DEFAULT: "2000", TIMEOUT_MS_MAX: "2000" };

/** Calls without pause until `over`, each whole or streamed; what a kill breaks off is let go. */
async function load(url: string, key: string, random: () => number, over: () => boolean): Promise<void> {
  while (!over()) {
    const body = JSON.stringify({
      model: "tiny-chat",
      messages: [{ role: "user", content: "one two" }],
      max_tokens: 1 + Math.floor(random() * 8),
      stream: random() < 0.5,
    });
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
    await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body })
      .then((answer) => answer.text())
      .catch(() => undefined);
  }
}

async function killUnderLoad(edge: EdgeProcess, random: () => number): Promise<void> {
  let killed = false;
  const callers = keys.flatMap((key) => Array.from({ length: 4 }, () => load(edge.url, key, random, () => killed)));
  // How far the load has come when the edge dies is what is tried, not waited for.
  await new Promise((resolve) => setTimeout(resolve, 300 + random() * 2_500));
  await edge.kill();
  killed = true;
  await Promise.all(callers);
}

async function journalOf(tenant: string): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (let after = ""; ; ) {
    const answer = await fetch(`${origin.url}/v1/usage/journal?${new URLSearchParams({ tenant, after })}`, {
      headers: { Authorization: `Bearer ${originSecret}` },
    });
    const page = (await answer.json()) as JournalPage;
    entries.push(...page.entries);
    after = page.next;
    if (!page.more) return entries;
  }
}

async function rowsOf(edge: TestEdge, tenant: string): Promise<readonly LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (let after = ""; ; ) {
    const query = new URLSearchParams({ tenant, after, limit: "1000" });
    const page = (await (await edge.get(`/admin/v1/ledger/rows?${query}`, adminKey)).json()) as LedgerRowsAnswer;
    rows.push(...page.rows);
    after = page.next;
    if (page.rows.length === 0) return rows;
  }
}

test("every call the origin answered is in its tenant's ledger exactly once, and quotas say what the rows say", async () => {
  const random = randomOf(20_261_125);
  for (let round = 0; round < 5; round++) {
    await killUnderLoad(await startEdgeProcess({ originUrl: origin.url, dataDir, gateway: calls }), random);
  }
  const edge = await startEdge({ originUrl: origin.url, dataDir, gateway: calls });
  let filledIn = 0;
  const reconcile = async (tenant: string) => {
    const answer = await edge.post("/admin/v1/ledger/reconcile", adminKey, { tenant });
    expect(answer.status).toBe(200);
    filledIn += ((await answer.json()) as ReconcileAnswer).added;
  };
  await until(
    "no dead isolate holds anything",
    async () => {
      for (const tenant of tenants) await reconcile(tenant);
      return (await usage(edge, "tenant=with-quotas")).quotas.every(({ reserved }) => reserved === 0);
    },
    40_000,
  );
  for (const tenant of tenants) {
    await reconcile(tenant);
    const [journal, rows] = [await journalOf(tenant), await rowsOf(edge, tenant)];
    expect(journal.length).toBeGreaterThan(100);
    expect(rows.map(({ id }) => id).sort()).toEqual(journal.map(({ call }) => call).sort());
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const { call, code, input_tokens, output_tokens, model } of journal) {
      const row = byId.get(call);
      // What of a stream had passed when it broke off each side counts for itself.
      if (code === undefined && row?.code === undefined) {
        expect(row).toMatchObject({ model, input_tokens, output_tokens, tier: "origin" });
      }
    }
    const { quotas, unreported } = await usage(edge, `tenant=${tenant}`);
    const told = rows.reduce<Amount>((sum, row) => plus(sum, quotaUse(row)), unreported);
    for (const { kind, used } of quotas) expect([kind, used]).toEqual([kind, told[kind]]);
    if (tenant === "without") expect(unreported).toEqual(nothing);
  }
  // The kills did lose rows, or nothing was tried.
  expect(filledIn).toBeGreaterThan(0);
  await edge.close();
}, 240_000);
