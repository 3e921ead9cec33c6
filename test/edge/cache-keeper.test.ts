import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type CacheAnswer, type CacheKeysAnswer, keyring as keyringSchema } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keeperOf, publishedBy } from "../support/cache-keeper.ts";
import { adminKey, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, echoInference } from "../support/registry.ts";

/** The cache's keys, and what is left of them and of the rules when things stop or are destroyed: the real Durable Object and KV. */

let edge: TestEdge;
let published: Awaited<ReturnType<typeof publishedBy>>;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference } });
  published = await publishedBy(edge);
});
afterAll(() => edge.close());

const shown = async (at = edge) => (await admin(at, "GET", "/cache")).body as CacheAnswer;
const keysOf = async (tenant: string) =>
  ((await admin(edge, "GET", `/tenants/${tenant}/cache/keys`)).body as CacheKeysAnswer).keys;

describe("a tenant's keys", () => {
  test("are made at the first use, the same for all who ask at once, and published", async () => {
    const keeper = await keeperOf(edge);
    expect(await keysOf("initech")).toEqual([]);
    const rings = await Promise.all(Array.from({ length: 20 }, () => keeper.keyring("initech", 0)));
    for (const ring of rings) expect(ring).toEqual(rings[0]);
    expect(keyringSchema.parse(rings[0]).number).toBe(0);
    await until("the keyring is published", async () => (await published.keyring("initech")) !== null);
    expect(await published.keyring("initech")).toEqual(rings[0]);
    expect(await keysOf("initech")).toEqual([{ id: 1, created_at: expect.stringMatching(/^20.*Z$/) }]);
    expect(await keeper.keyring("umbrella", 0)).not.toEqual(rings[0]);
  });

  test("are rotated: a new one seals, the ones before still open, and gateways are told", async () => {
    const keeper = await keeperOf(edge);
    const before = await keeper.keyring("initech", 0);
    const { status, body } = await admin(edge, "POST", "/tenants/initech/cache/keys/rotate");
    const { number } = body as { number: number };
    expect(status).toBe(200);
    const after = await published.keyring("initech");
    expect(after).toMatchObject({ number, naming: before.naming });
    expect(after?.sealing.map(({ id }) => id)).toEqual([2, 1]);
    expect(after?.sealing[1]).toEqual(before.sealing[0]);
    expect((await published.rules())?.keys).toMatchObject({ initech: number });
    expect((await shown()).changes.at(-1)).toMatchObject({
      kind: "rotate-keys",
      scope: "tenant:initech",
      who: "operator",
      from: [1],
      to: [2, 1],
    });
  });

  test("that were never made cannot be rotated: a 404; destroying them changes nothing", async () => {
    const { number } = await shown();
    const rotated = await admin(edge, "POST", "/tenants/nobody/cache/keys/rotate");
    expect([rotated.status, (rotated.body as { code: string }).code]).toEqual([404, "cache_keys_not_found"]);
    expect((await admin(edge, "DELETE", "/tenants/nobody/cache/keys")).body).toEqual({ number });
  });

  test("once destroyed are nowhere, and new ones are made only at the tenant's next call", async () => {
    const keeper = await keeperOf(edge);
    const before = await keeper.keyring("initech", 0);
    const { status, body } = await admin(edge, "DELETE", "/tenants/initech/cache/keys");
    const { number } = body as { number: number };
    expect(status).toBe(200);
    expect(await published.keyring("initech")).toBeNull();
    expect((await published.rules())?.keys).toMatchObject({ initech: number });
    expect(await keysOf("initech")).toEqual([]);
    const after = await keeper.keyring("initech", number);
    expect(after.number).toBe(number);
    const salts = [before.naming, ...before.sealing.map(({ salt }) => salt)];
    for (const salt of [after.naming, ...after.sealing.map((one) => one.salt)]) expect(salts).not.toContain(salt);
  });

  test("that are another tenant's are not taken in its place: they are an alarm, and the keeper is asked instead", async () => {
    const keeper = await keeperOf(edge);
    await published.putKeyring("hooli", await keeper.keyring("umbrella", 0));
    const { key } = await edge.issueKey({ tenant: "hooli" });
    const answer = await edge.post("/v1/predict", key, { model: "intent", input: "whose keys are these?" });
    expect([answer.status, answer.headers.get("cache-status")]).toEqual([
      200,
      expect.stringContaining("fwd=miss; stored"),
    ]);
    const alarms = 'ledge_cache_events_total{model="intent",version="1",event="unsealed"} 1';
    await until("the alarm is counted", async () =>
      (await (await edge.get("/metrics", adminKey)).text()).includes(alarms),
    );
    const own = await keeper.keyring("hooli", 0);
    await until("its own are published again", async () => (await published.keyring("hooli"))?.naming === own.naming);
  });

  test("are in no answer of the operator's API and in no log line", async () => {
    const { naming, sealing } = await (await keeperOf(edge)).keyring("umbrella", 0);
    await admin(edge, "POST", "/tenants/umbrella/cache/keys/rotate");
    const answers = JSON.stringify([await shown(), await keysOf("umbrella")]);
    for (const salt of [naming, sealing[0]?.salt ?? "missing"]) {
      expect(answers).not.toContain(salt);
      expect(edge.logs.join("\n")).not.toContain(salt);
    }
  });
});

test("a gateway that knows an older number gets the rules from the keeper itself, and nothing when it knows them", async () => {
  const keeper = await keeperOf(edge);
  const { number } = await shown();
  expect((await keeper.newerThan(number - 1))?.number).toBe(number);
  expect(await keeper.newerThan(number)).toBeUndefined();
});

describe("what is left when everything stops", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "ledge-cache-keeper-"));
  let at: TestEdge;
  const start = async () => {
    at = await startEdge({ standIns: { inference: echoInference }, dataDir });
  };
  afterAll(async () => {
    await at.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test("rules, purges, changes and keys are the same after, and published although everything stopped before they could be", async () => {
    await start();
    const made = await (await keeperOf(at)).keyring("acme", 0);
    await admin(at, "POST", "/cache/purge", { tenant: "acme", tag: "faq" });
    // Answered before it is published, which it is a second after the purge.
    expect((await admin(at, "PUT", "/models/intent/cache", { ttl_s: 60 })).status).toBe(200);
    const before = await shown(at);
    await at.close();
    await start();
    expect(await shown(at)).toEqual(before);
    expect(await (await keeperOf(at)).keyring("acme", 0)).toEqual(made);
    const { rules } = await publishedBy(at);
    await until("the rules are published", async () => (await rules())?.number === before.number);
  });

  test("nothing of destroyed keys is in the object's SQLite, its free pages included, or in KV", async () => {
    const keeper = await keeperOf(at);
    await keeper.keyring("acme", 0);
    await admin(at, "POST", "/tenants/acme/cache/keys/rotate");
    const { naming, sealing } = await keeper.keyring("acme", 0);
    const salts = [naming, ...sealing.map(({ salt }) => salt)];
    expect(salts).toHaveLength(3);
    await at.close();
    expect(salts.map((salt) => filesWith(dataDir, salt).length > 0)).toEqual([true, true, true]);
    await start();
    expect((await admin(at, "DELETE", "/tenants/acme/cache/keys")).status).toBe(200);
    await at.close();
    for (const file of filesNamed(dataDir, /\.sqlite$/)) foldLog(file);
    for (const salt of salts) expect(filesWith(dataDir, salt)).toEqual([]);
    await start();
  });
});

/** The files below a folder that hold a text anywhere in their bytes. */
function filesWith(folder: string, text: string): string[] {
  return filesNamed(folder, /./).filter((file) => readFileSync(file).includes(text));
}

function filesNamed(folder: string, pattern: RegExp): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && pattern.test(entry.name));
  return files.map((entry) => join(entry.parentPath, entry.name));
}

/** SQLite writes to a log first; what it holds of before goes when it is taken into the file, as happens from time to time. */
function foldLog(file: string): void {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}
