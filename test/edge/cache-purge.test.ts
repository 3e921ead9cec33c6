import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayName } from "../../scripts/edge/run.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, echoInference, registerIntent } from "../support/registry.ts";

/** What an operator's change does to what is kept: at three gateways over one KV, as three places of an edge are. */

interface Call {
  readonly tenant?: "acme" | "globex";
  readonly model?: string;
  readonly input: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Seen {
  readonly hit: boolean;
  readonly status: string;
  readonly id: string;
  readonly body: string;
}

let edge: TestEdge;
let gateways: readonly Awaited<ReturnType<Miniflare["getWorker"]>>[];
const keys: Record<string, string> = {};

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference }, gateways: 3 });
  for (const tenant of ["acme", "globex"]) keys[tenant] = (await edge.issueKey({ tenant })).key;
  gateways = await Promise.all([0, 1, 2].map((index) => edge.miniflare.getWorker(gatewayName(index))));
  await registerIntent(edge, "one", "words");
  await registerIntent(edge, "two", "words");
  await until("every gateway knows the model", async () => {
    const seen = await everywhere({ model: "words@2", input: "are you there?" });
    return seen.every(({ body }) => body.includes("words@2"));
  });
});
afterAll(() => edge.close());

/** Asks one gateway. The first is the one that operators reach. */
async function ask(index: number, { tenant = "acme", model = "words", input, headers = {} }: Call): Promise<Seen> {
  const answer = await gateways[index]?.fetch(`${edge.url}/v1/predict`, {
    method: "POST",
    headers: { Authorization: `Bearer ${keys[tenant]}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ model, input }),
  });
  const status = answer?.headers.get("Cache-Status") ?? "";
  const id = /key="([0-9a-f]{32})"/.exec(status)?.[1] ?? "";
  return { hit: status.startsWith("Ledge; hit"), status, id, body: (await answer?.text()) ?? "" };
}

const everywhere = (call: Call) => Promise.all(gateways.map((_, index) => ask(index, call)));

/** Kept, and found by every gateway. */
async function keep(call: Call): Promise<string> {
  await until(`kept everywhere: ${JSON.stringify(call)}`, async () => {
    const seen = await everywhere(call);
    return seen.every(({ hit }) => hit);
  });
  return (await ask(0, call)).id;
}

/** Never again found as it was kept: the others look up without keeping, so that one's miss is not another's hit. */
async function isGoneElsewhere(call: Call): Promise<void> {
  const looking = { ...call, headers: { ...call.headers, "Cache-Control": "only-if-cached" } };
  const isGone = (index: number) => async () => !(await ask(index, looking)).hit;
  await Promise.all([1, 2].map((index) => until(`gone at gateway ${index}`, isGone(index), heardWithinMs)));
}

const isHit = async (call: Call) => (await ask(0, call)).hit;
const tagged = { "Ledge-Cache-Tag": "faq, spring" };
/** On one machine; deployed, KV takes its time. */
const heardWithinMs = 2_000;
let asked = 0;
/** A question that nobody asked before. */
const fresh = (more: Omit<Call, "input"> = {}): Call => ({ input: `question ${asked++}`, ...more });

describe("a purge is effective at once where it was made, within two seconds at every gateway, and on nothing else", () => {
  test.each([
    ["an entry", (id: string) => ({ tenant: "acme", key: id }), [{}, { tenant: "globex" }]],
    ["a tag", () => ({ tenant: "acme", tag: "faq" }), [{}, { tenant: "globex", headers: tagged }]],
    ["a version", () => ({ model: "words", version: "1" }), [{ model: "words@2" }, { model: "intent" }]],
    ["a model", () => ({ model: "words" }), [{ model: "intent" }]],
    ["a tenant", () => ({ tenant: "acme" }), [{ tenant: "globex" }]],
    ["everything", () => ({ all: true }), []],
  ] as const)("%s", async (_what, purgeOf, outside) => {
    const call = fresh({ headers: tagged });
    const others = outside.map((more) => fresh(more));
    const id = await keep(call);
    for (const other of others) await keep(other);
    expect((await admin(edge, "POST", "/cache/purge", purgeOf(id))).status).toBe(200);
    const looking = { ...call, headers: { ...tagged, "Cache-Control": "only-if-cached" } };
    expect((await ask(0, looking)).hit).toBe(false);
    await isGoneElsewhere(call);
    for (const other of others) expect([other, await isHit(other)]).toEqual([other, true]);
    // What is kept from now on is found again.
    await keep(call);
  });
});

describe("a policy is heard at once where it was set and within seconds at every gateway", () => {
  test.each([
    ["model", "/models/words/cache"],
    ["tenant", "/tenants/acme/cache"],
  ])("that switches the cache off for a %s, and on again with what was kept", async (_of, path) => {
    const call = fresh();
    const other = fresh({ tenant: "globex", model: "intent" });
    await keep(call);
    await keep(other);
    await admin(edge, "PUT", path, { enabled: false });
    expect((await ask(0, call)).status).toMatch(/^Ledge; fwd=bypass/);
    const heard = (index: number) => async () => (await ask(index, call)).status.startsWith("Ledge; fwd=bypass");
    await Promise.all([1, 2].map((index) => until(`heard at gateway ${index}`, heard(index))));
    expect(await isHit(other)).toBe(true);
    await admin(edge, "DELETE", path);
    expect(await isHit(call)).toBe(true);
  });
});

describe("a tenant's keys", () => {
  test("are rotated without a miss: what was sealed before is opened by gateways that never saw it", async () => {
    const [before, after] = [fresh(), fresh()];
    expect((await ask(0, before)).hit).toBe(false);
    await until("kept", () => isHit(before));
    expect((await admin(edge, "POST", "/tenants/acme/cache/keys/rotate")).status).toBe(200);
    expect(await isHit(before)).toBe(true);
    await until("the other gateway opens it", async () => (await ask(1, before)).status.includes("detail=kv"));
    await keep(after);
    await keep(before);
  });

  test("once destroyed open nothing that was kept, at any gateway; other tenants' answers stay", async () => {
    const call = fresh();
    const other = fresh({ tenant: "globex" });
    const id = await keep(call);
    await keep(other);
    expect((await admin(edge, "DELETE", "/tenants/acme/cache/keys")).status).toBe(200);
    const looking = { ...call, headers: { "Cache-Control": "only-if-cached" } };
    expect((await ask(0, looking)).hit).toBe(false);
    await isGoneElsewhere(call);
    expect(await isHit(other)).toBe(true);
    // The new keys give it another name.
    expect(await keep(call)).not.toBe(id);
  });
});
