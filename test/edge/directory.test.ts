import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MembersAnswer, TenantAnswer, TenantsAnswer, Terms, WebhookAnswer } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminAs, done, keyNamed, newKey, publishedBy } from "../support/directory.ts";
import { adminKey, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, echoInference } from "../support/registry.ts";

/** Tenants, members and terms through the real Workers: what the operator asks, and what gateways then read. */

let edge: TestEdge;
let published: Awaited<ReturnType<typeof publishedBy>>;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference } });
  published = await publishedBy(edge);
});
afterAll(() => edge.close());

const code = (body: unknown) => (body as { code: string }).code;
const ask = (key: string) => edge.post("/v1/predict", key, { model: "intent", input: "hello" });

describe("a tenant", () => {
  test("that is made has the plan that limits nothing, and is published for gateways", async () => {
    const made = await done<TenantAnswer>(edge, "POST", "/tenants", { tenant: "globex" });
    expect(made).toEqual({
      tenant: "globex",
      state: "active",
      settings: {},
      created_at: expect.stringMatching(/^20.*Z$/),
      projects: 0,
      members: 0,
      keys: 0,
    });
    expect(await published.tenant("globex")).toEqual({
      tenant: "globex",
      state: "active",
      plan: "internal",
      time_zone: "UTC",
      overrun: "allow",
      guard: { mode: "off", model: "guard", threshold: 0.5, benign: "neither" },
      input: { unicode: "allow", out_of_distribution: "allow" },
    });
  });

  test("is changed member by member: what is named changes, null takes away, the rest stays", async () => {
    const settings = { plan: "pro", limits: { in_flight: 8, requests_per_minute: 60 }, time_zone: "Europe/Berlin" };
    await done(edge, "PATCH", "/tenants/globex", settings);
    const changed = { limits: { in_flight: null }, guard: { mode: "block", threshold: 0.9 }, weight: 2 };
    const after = await done<TenantAnswer>(edge, "PATCH", "/tenants/globex", changed);
    expect(after.settings).toEqual({
      plan: "pro",
      limits: { requests_per_minute: 60 },
      time_zone: "Europe/Berlin",
      guard: { mode: "block", threshold: 0.9 },
      weight: 2,
    });
    expect(await published.tenant("globex")).toMatchObject({
      plan: "pro",
      limits: { requests_per_minute: 60 },
      guard: { mode: "block", model: "guard", threshold: 0.9 },
    });
  });

  test.each([
    [{ time_zone: "Europe/Atlantis" }, "time_zone"],
    [{ time_zone: "+01:00" }, "time_zone"],
    [{ limits: { in_flight: 0 } }, "limits.in_flight"],
    [{ quotas: { tokens_per_week: 1 } }, "quotas"],
    [{ weight: 0 }, "weight"],
    [{ state: "active" }, "(body)"],
    [{ guard: { threshold: 0.5, mode: "maybe" } }, "guard.mode"],
  ])("is not changed to %j: every fault is named, and nothing changes", async (patch, path) => {
    const before = await done(edge, "GET", "/tenants/globex");
    const { status, body } = await admin(edge, "PATCH", "/tenants/globex", patch);
    expect([status, code(body)]).toEqual([400, "invalid_request"]);
    expect((body as { issues: { path: string }[] }).issues.map((issue) => issue.path)).toContain(path);
    expect(await done(edge, "GET", "/tenants/globex")).toEqual(before);
  });

  test.each([
    ["PATCH", "/tenants/nobody", { weight: 1 }, 404, "tenant_not_found"],
    ["GET", "/tenants/nobody", undefined, 404, "tenant_not_found"],
    ["DELETE", "/tenants/nobody", undefined, 404, "tenant_not_found"],
    ["GET", "/tenants/nobody/members", undefined, 404, "tenant_not_found"],
    ["POST", "/tenants", { tenant: "globex" }, 409, "directory_conflict"],
    ["POST", "/tenants", { tenant: "a b" }, 400, "invalid_request"],
    ["PATCH", "/tenants/globex", { plan: "platinum" }, 404, "terms_not_found"],
    ["PATCH", "/tenants/globex", [], 400, "invalid_request"],
    ["GET", "/tenants?limit=0", undefined, 400, "invalid_request"],
  ])("%s %s with %j is refused: %i %s", async (method, path, body, status, expected) => {
    const answer = await admin(edge, method, path, body);
    expect([answer.status, code(answer.body)]).toEqual([status, expected]);
  });

  test("that is suspended is refused within seconds, and taken again when it is resumed", async () => {
    const { key } = await newKey(edge, { tenant: "initech" });
    expect((await ask(key)).status).toBe(200);
    expect((await done<TenantAnswer>(edge, "POST", "/tenants/initech/suspend")).state).toBe("suspended");
    await until("the tenant is refused", async () => (await ask(key)).status === 403, 10_000);
    await done(edge, "POST", "/tenants/initech/resume");
    await until("the tenant is taken again", async () => (await ask(key)).status === 200, 10_000);
  });

  test("that is deleted takes its keys, members and projects along, and its tokens are refused too", async () => {
    const { id } = await newKey(edge, { tenant: "hooli" });
    await done(edge, "PUT", "/tenants/hooli/projects/web", {});
    await done(edge, "PUT", "/tenants/hooli/members/ann", { role: "owner" });
    expect(await done(edge, "GET", "/tenants/hooli")).toMatchObject({ projects: 1, members: 1, keys: 1 });
    expect(await done(edge, "DELETE", "/tenants/hooli")).toEqual({ deleted: "hooli", keys: 1 });
    expect(await published.key(id)).toBeNull();
    expect(await published.tenant("hooli")).toMatchObject({ state: "suspended" });
    expect((await admin(edge, "GET", `/keys/${id}`)).status).toBe(404);
    const issued = await admin(edge, "POST", "/keys", { tenant: "hooli", name: "again" });
    expect([issued.status, code(issued.body)]).toEqual([404, "tenant_not_found"]);
    expect(await done(edge, "POST", "/tenants", { tenant: "hooli" })).toMatchObject({ members: 0, projects: 0 });
    expect(await published.tenant("hooli")).toMatchObject({ state: "active" });
  });

  test("is found in the list by its name, which goes on where it stopped", async () => {
    const names = async (query: string) => {
      const { tenants, next } = await done<TenantsAnswer>(edge, "GET", `/tenants${query}`);
      return { names: tenants.map(({ tenant }) => tenant), next };
    };
    const all = (await names("")).names;
    expect(all).toEqual(all.toSorted());
    const first = await names("?limit=1");
    expect(first).toEqual({ names: all.slice(0, 1), next: all[0] });
    expect((await names(`?after=${first.next}`)).names).toEqual(all.slice(1));
  });

  test("has a webhook whose secret is shown once, is another each time, and is stored nowhere", async () => {
    const set = () =>
      done<WebhookAnswer>(edge, "PUT", "/tenants/globex/webhook", { url: "https://hooks.example.com/x" });
    const [first, second] = [await set(), await set()];
    expect(first.secret).toMatch(/^whsec_[0-9a-f]{64}$/);
    expect(second.secret).not.toBe(first.secret);
    const shown = JSON.stringify([
      await done(edge, "GET", "/tenants/globex"),
      await done(edge, "GET", "/audit?log=directory&limit=1000"),
      await published.tenant("globex"),
      edge.logs,
    ]);
    expect(shown).toContain("https://hooks.example.com/x");
    for (const { secret } of [first, second]) expect(shown).not.toContain(secret.slice("whsec_".length));
    await done(edge, "DELETE", "/tenants/globex/webhook");
    expect(await done(edge, "GET", "/tenants/globex")).not.toHaveProperty("webhook");
    for (const url of ["http://example.com", "https://user@example.com", "ftp://x", "https://a b"]) {
      expect((await admin(edge, "PUT", "/tenants/globex/webhook", { url })).status, url).toBe(400);
    }
  });
});

describe("a member's role", () => {
  const put = (user: string, role: string) => admin(edge, "PUT", `/tenants/umbrella/members/${user}`, { role });
  const scopes = (...actions: string[]) => [{ actions, models: ["*"] }];

  beforeAll(async () => {
    await done(edge, "POST", "/tenants", { tenant: "umbrella" });
  });

  test("says which scopes its keys may have", async () => {
    await put("ann", "owner");
    await put("bob", "developer");
    await put("cid", "viewer");
    const issue = (user: string, ...actions: string[]) =>
      admin(edge, "POST", "/keys", { tenant: "umbrella", name: user, user, scopes: scopes(...actions) });
    expect((await issue("ann", "infer", "admin-write")).status).toBe(201);
    expect((await issue("bob", "infer")).status).toBe(201);
    const beyond = await issue("bob", "infer", "admin-read");
    expect([beyond.status, code(beyond.body)]).toEqual([403, "scope_denied"]);
    expect((await issue("cid", "infer")).status).toBe(403);
    expect((await issue("cid", "admin-read")).status).toBe(201);
    expect((await issue("eve", "infer")).status).toBe(404);
  });

  test("that is lowered takes from the member's keys what it does not allow, and ends those of which nothing is left", async () => {
    const some = await newKey(edge, { tenant: "umbrella", user: "ann", scopes: scopes("chat", "admin-read") });
    const all = await newKey(edge, { tenant: "umbrella", user: "ann", scopes: scopes("chat") });
    const last = await put("ann", "viewer");
    expect([last.status, code(last.body)]).toEqual([409, "directory_conflict"]);
    await put("dan", "owner");
    expect((await put("ann", "viewer")).status).toBe(200);
    expect((await keyNamed(edge, some.id)).scopes).toEqual(scopes("admin-read"));
    expect((await published.key(some.id))?.scopes).toEqual(scopes("admin-read"));
    expect((await keyNamed(edge, all.id)).state).toBe("revoked");
    expect(await published.key(all.id)).toBeNull();
  });

  test("ends with the member, and so do its keys", async () => {
    const { id } = await newKey(edge, { tenant: "umbrella", user: "bob" });
    const removed = await done<{ keys: number }>(edge, "DELETE", "/tenants/umbrella/members/bob");
    expect(removed.keys).toBeGreaterThan(0);
    expect(await published.key(id)).toBeNull();
    const { members } = await done<MembersAnswer>(edge, "GET", "/tenants/umbrella/members");
    expect(members).toEqual([
      { user: "ann", role: "viewer" },
      { user: "cid", role: "viewer" },
      { user: "dan", role: "owner" },
    ]);
  });

  test("a project goes when no key is its any more", async () => {
    await done(edge, "PUT", "/tenants/umbrella/projects/web", { description: "the box" });
    const { id } = await newKey(edge, { tenant: "umbrella", project: "web" });
    const kept = await admin(edge, "DELETE", "/tenants/umbrella/projects/web");
    expect([kept.status, code(kept.body)]).toEqual([409, "directory_conflict"]);
    await done(edge, "DELETE", `/keys/${id}`);
    await done(edge, "DELETE", "/tenants/umbrella/projects/web");
    expect(await done(edge, "GET", "/tenants/umbrella/projects")).toEqual({ projects: [] });
  });
});

describe("terms", () => {
  const terms = () => done<Terms>(edge, "GET", "/terms");

  test("begin with the shipped plans, of which 'internal' limits nothing, and are published", async () => {
    const { plans, tiers, price } = await terms();
    expect(Object.keys(plans)).toEqual(["internal", "free", "pro"]);
    expect(plans.internal).toEqual({ tier: "standard" });
    for (const plan of Object.values(plans)) expect(Object.keys(tiers)).toContain(plan.tier);
    expect(price).toEqual({});
    await until("the terms are published", async () => (await published.terms())?.number === 1);
  });

  test("are published with a number that rises with every change, and with none that changes nothing", async () => {
    const { number } = await terms();
    const gold = { tier: "gold", limits: { requests_per_minute: 9 } };
    await done(edge, "PUT", "/tiers/gold", { priority: 1 });
    await done(edge, "PUT", "/plans/gold", gold);
    await done(edge, "PUT", "/plans/gold", gold);
    await done(edge, "PUT", "/models/intent/terms", { price: { per_call: 10 }, tokens_per_byte_max: 0.5 });
    await done(edge, "PUT", "/prices", { currency: "EUR", price: { per_edge_second: 5 } });
    const after = await terms();
    expect(after).toMatchObject({
      number: number + 4,
      currency: "EUR",
      plans: { gold },
      tiers: { gold: { priority: 1 } },
      models: { intent: { price: { per_call: 10 } } },
    });
    expect(await published.terms()).toEqual(after);
    expect(await done(edge, "GET", "/models/intent/terms")).toEqual({
      price: { per_call: 10 },
      tokens_per_byte_max: 0.5,
    });
  });

  test.each([
    ["PUT", "/plans/x", { tier: "nothing" }, 404, "terms_not_found"],
    ["PUT", "/plans/X", { tier: "gold" }, 400, "invalid_request"],
    ["PUT", "/plans/x", { tier: "gold", quotas: { calls_per_day: -1 } }, 400, "invalid_request"],
    ["PUT", "/tiers/x", { priority: 10 }, 400, "invalid_request"],
    ["DELETE", "/tiers/gold", undefined, 409, "directory_conflict"],
    ["DELETE", "/plans/internal", undefined, 409, "directory_conflict"],
    ["DELETE", "/plans/nothing", undefined, 404, "terms_not_found"],
    ["PUT", "/models/nobody/terms", {}, 404, "model_not_found"],
    ["DELETE", "/models/nobody/terms", undefined, 404, "terms_not_found"],
    ["PUT", "/prices", { currency: "euro", price: {} }, 400, "invalid_request"],
    ["PUT", "/prices", { currency: "EUR", price: { per_call: 0.5 } }, 400, "invalid_request"],
  ])("%s %s with %j is refused and changes nothing: %i %s", async (method, path, body, status, expected) => {
    const before = await terms();
    const answer = await admin(edge, method, path, body);
    expect([answer.status, code(answer.body)]).toEqual([status, expected]);
    expect(await terms()).toEqual(before);
  });

  test("of a plan stay as long as a tenant has it", async () => {
    await done(edge, "PATCH", "/tenants/globex", { plan: "gold" });
    expect((await admin(edge, "DELETE", "/plans/gold")).status).toBe(409);
    await done(edge, "PATCH", "/tenants/globex", { plan: null });
    await done(edge, "DELETE", "/plans/gold");
    await done(edge, "DELETE", "/tiers/gold");
    expect((await terms()).plans).not.toHaveProperty("gold");
  });
});

test("everything is the same after all has stopped", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "ledge-directory-"));
  const start = () => startEdge({ standIns: { inference: echoInference }, dataDir });
  let at = await start();
  try {
    await done(at, "POST", "/tenants", { tenant: "acme", plan: "free" });
    const { id, key } = await newKey(at, {});
    const { key: adminOf } = await done<{ key: string }>(at, "POST", "/admins", { name: "ci", scopes: ["keys:read"] });
    const paths = ["/tenants/acme", `/keys/${id}`, "/terms", "/admins", "/audit?log=directory"];
    const seen = async () => await Promise.all(paths.map((path) => done(at, "GET", path)));
    const before = await seen();
    await at.close();
    at = await start();
    expect(await seen()).toEqual(before);
    expect((await at.post("/v1/predict", key, { model: "intent", input: "hello" })).status).toBe(200);
    expect((await adminAs(at, adminOf, "GET", `/admin/v1/keys/${id}`)).status).toBe(200);
    expect((await adminAs(at, adminKey, "GET", "/admin/v1/admins")).status).toBe(200);
  } finally {
    await at.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
