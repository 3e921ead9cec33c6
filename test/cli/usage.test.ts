import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { fakeTerminal } from "../support/fake-terminal.ts";
import { adminKey, startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";
import { events, publishTenant, publishTerms, totalsOf } from "../support/ledgers.ts";
import { storeKey } from "../support/stored-keys.ts";

/** `ledge usage` and `ledge ledger` against the real Workers. */

let edge: TestEdge;
let origin: Awaited<ReturnType<typeof startFakeOrigin>>;

beforeAll(async () => {
  origin = await startFakeOrigin({ tokens: ["a", "b"] });
  edge = await startEdge({ originUrl: origin.url });
  await publishTerms(edge);
  await publishTenant(edge, "acme", { calls_per_day: 4 });
  const { key } = await storeKey(edge);
  const body = { model: "tiny-chat", messages: [{ role: "user", content: "one two" }] };
  for (let call = 0; call < 5; call++) await edge.post("/v1/chat/completions", key, body);
  await totalsOf(edge, "acme", 4);
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

async function ledge(line: string) {
  const terminal = fakeTerminal({ cwd: tmpdir(), env: { LEDGE_ADMIN_KEY: adminKey, LEDGE_URL: edge.url } });
  const code = await main(line.split(" "), terminal);
  return { code, said: terminal.said.join("\n"), printed: terminal.printed.join("\n") };
}

test("ledge usage prints who used what, and what is left of a tenant's quotas", async () => {
  const { code, printed } = await ledge("usage --tenant acme --by model,tier");
  expect(code).toBe(0);
  // Two tokens of prompt and two of output: 100 + 4 + 10 micro-cents a call.
  expect(printed).toMatch(/^model +tier +calls +failed +tokens in +out +USD/);
  expect(printed).toMatch(/\ntiny-chat +origin +4 +0 +8 +8 +0\.00000456 /);
  expect(printed).toMatch(/\ncalls a day +4 +4 +0 +0 +\d{4}-\d\d-\d\dT/);
});

test("ledge usage prints the same as JSON and as CSV", async () => {
  const json = await ledge("usage --tenant acme --json");
  expect(JSON.parse(json.printed)).toMatchObject({
    currency: "USD",
    lines: [{ model: "tiny-chat", calls: 4, cost: 456 }],
  });
  const csv = await ledge("usage --tenant acme --csv");
  expect(csv.printed.split("\n")).toHaveLength(2);
  expect(csv.printed).toMatch(/^at,tenant,key,/);
});

test("ledge usage says what it cannot be asked, and fails", async () => {
  const { code, said } = await ledge("usage --by colour");
  expect(code).toBe(1);
  expect(said).toContain("by: names of tenant, key, user");
});

test("ledge ledger events lists what quotas raised", async () => {
  await until("the quota is used up", async () => (await events(edge, "acme")).length === 3);
  const { code, printed } = await ledge("ledger events --tenant acme");
  expect(code).toBe(0);
  expect(printed).toMatch(/acme +quota\.threshold +calls a day +4 of 4/);
  expect(printed).toContain("quota.exhausted");
});

test("ledge ledger reconcile says what it read and what was missing", async () => {
  const { code, printed } = await ledge("ledger reconcile acme");
  expect(code).toBe(0);
  expect(printed).toBe("Read 0 calls, of which 0 were missing. Still counted without a row: 0 calls, 0 tokens.");
});
