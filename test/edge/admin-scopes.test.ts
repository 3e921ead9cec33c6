import { type AdminScope, type AuditAnswer, adminScopes, type CacheAnswer } from "@ledge/contract";
import {
  blockOperations,
  cacheOperations,
  inferenceOperations,
  jobOperations,
  keyOperations,
  operations,
  operatorOperations,
  tenancyOperations,
  termsOperations,
  usageOperations,
} from "@ledge/contract/openapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminAs, done, newAdmin } from "../support/directory.ts";
import { startEdge, type TestEdge } from "../support/ledge.ts";
import { admin, echoInference } from "../support/registry.ts";

/** What the operator's credentials may, over every route that takes one. */

let edge: TestEdge;
/** By scope: a key that has nothing else, and one that has everything else. */
const only = new Map<string, string>();
const but = new Map<string, string>();

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference } });
  for (const scope of adminScopes) {
    const name = scope.replace(":", "-");
    const others = adminScopes.filter((other) => other !== scope);
    only.set(scope, (await newAdmin(edge, `only-${name}`, [scope])).key);
    but.set(scope, (await newAdmin(edge, `but-${name}`, others)).key);
  }
});
afterAll(() => edge.close());

const routes = [
  ...operations,
  ...inferenceOperations,
  ...operatorOperations,
  ...cacheOperations,
  ...jobOperations,
  ...keyOperations,
  ...tenancyOperations,
  ...termsOperations,
  ...usageOperations,
  ...blockOperations,
]
  .filter(({ credential }) => credential === "operator")
  .map(({ method, path, scope }) => [method.toUpperCase(), path, scope] as const);

test("every route of the operator's names a scope, and every scope has a route", () => {
  const scopes = new Set(routes.map(([, , scope]) => scope));
  expect(adminScopes.filter((scope) => !scopes.has(scope))).toEqual([]);
  for (const [, path, scope] of routes) expect(adminScopes, path).toContain(scope);
});

test.each(routes)("%s %s takes the scope %s: without it 403, without a credential 401", async (method, path, scope) => {
  const at = path.replaceAll(/\{\w+\}/g, "x");
  const body = method === "GET" || method === "DELETE" ? undefined : {};
  const without = await adminAs(edge, but.get(scope ?? "") ?? "", method, at, body);
  expect(without.status).toBe(403);
  expect(JSON.stringify(without.body)).toContain("scope_denied");
  expect(JSON.stringify(without.body)).toContain(`'${scope}'`);
  expect((await adminAs(edge, "nobody's", method, at, body)).status).toBe(401);
  const answer = await fetch(edge.url + at, {
    method,
    headers: { Authorization: `Bearer ${only.get(scope ?? "")}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect([401, 403, 405, 500]).not.toContain(answer.status);
});

describe("a credential of the operator's", () => {
  const models = (key: string) => adminAs(edge, key, "GET", "/admin/v1/models");

  test("is shown once, and neither it nor its hash is in any later answer, in KV or in the log", async () => {
    const { key, ...made } = await newAdmin(edge, "shown-once", ["models:read"]);
    expect(key).toMatch(/^ledge_admin_[A-Za-z0-9_-]{43}$/);
    expect((await models(key)).status).toBe(200);
    const { admins } = await done<{ admins: object[] }>(edge, "GET", "/admins");
    expect(admins).toContainEqual(made);
    const kv = await edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");
    const stored = (await kv.list()).keys.map(({ name }) => name).join(" ");
    const audit = await done(edge, "GET", "/audit?log=directory&limit=1000");
    const everything = [JSON.stringify(admins), JSON.stringify(audit), stored, edge.logs.join("\n")].join("\n");
    expect(everything).not.toContain(key.slice("ledge_admin_".length));
    for (const facts of admins) expect(facts).not.toHaveProperty("hash");
  });

  test("that is revoked is refused from the next request on, and its name is never used again", async () => {
    const { key } = await newAdmin(edge, "leaver", ["models:read"]);
    expect((await models(key)).status).toBe(200);
    await done(edge, "DELETE", "/admins/leaver");
    expect((await models(key)).status).toBe(401);
    const again = await admin(edge, "POST", "/admins", { name: "leaver", scopes: ["models:read"] });
    expect([again.status, (again.body as { code: string }).code]).toEqual([409, "directory_conflict"]);
  });

  test("that has expired is refused", async () => {
    const expires_at = new Date(Date.now() + 1_500).toISOString();
    const { key } = await done<{ key: string }>(edge, "POST", "/admins", {
      name: "brief",
      scopes: ["models:read"],
      expires_at,
    });
    expect((await models(key)).status).toBe(200);
    let last = await models(key);
    for (const endMs = Date.now() + 5_000; last.status === 200 && Date.now() < endMs; last = await models(key)) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect([last.status, last.body.code]).toEqual([401, "expired_credentials"]);
  });

  test("makes none that may do more than itself", async () => {
    const key = only.get("admins:write") ?? "";
    const make = (name: string, scopes: readonly AdminScope[]) =>
      adminAs(edge, key, "POST", "/admin/v1/admins", { name, scopes });
    const more = await make("more", ["admins:write", "keys:write"]);
    expect([more.status, more.body.code, more.body.detail]).toEqual([
      403,
      "scope_denied",
      expect.stringMatching(/keys:write/),
    ]);
    expect((await make("like-it", ["admins:write"])).status).toBe(201);
  });

  test.each([
    [{ name: "operator", scopes: ["models:read"] }],
    [{ name: "A b", scopes: ["models:read"] }],
    [{ name: "none", scopes: [] }],
    [{ name: "wide", scopes: ["everything"] }],
    [{ name: "past", scopes: ["models:read"], expires_at: "2020-01-01T00:00:00Z" }],
    [{ name: "when", scopes: ["models:read"], expires_at: "tomorrow" }],
  ])("is not made of %j", async (request) => {
    const { status, body } = await admin(edge, "POST", "/admins", request);
    expect([status, (body as { code: string }).code]).toEqual([400, "invalid_request"]);
  });

  test("issues no key for a tenant that nobody made, unless it may make tenants", async () => {
    const asked = { tenant: "unheard-of", name: "x" };
    const alone = await adminAs(edge, only.get("keys:write") ?? "", "POST", "/admin/v1/keys", asked);
    expect([alone.status, alone.body.code]).toEqual([404, "tenant_not_found"]);
    expect((await adminAs(edge, but.get("usage:read") ?? "", "POST", "/admin/v1/keys", asked)).status).toBe(201);
  });

  test("is who the audit says it was, in every log", async () => {
    const { key } = await newAdmin(edge, "mia", adminScopes);
    await adminAs(edge, key, "PUT", "/admin/v1/models/intent/policy", { latest: { num_versions: 3 } });
    await adminAs(edge, key, "PUT", "/admin/v1/models/intent/cache", { ttl_s: 77 });
    await adminAs(edge, key, "POST", "/admin/v1/tenants", { tenant: "mias" });
    const { rows } = await done<AuditAnswer>(edge, "GET", "/audit?limit=1000");
    expect(rows.filter(({ who }) => who === "mia").map(({ log, kind }) => [log, kind])).toEqual([
      ["registry", "set-policy"],
      ["cache", "set-policy"],
      ["directory", "create-tenant"],
    ]);
    const { changes } = await done<CacheAnswer>(edge, "GET", "/cache");
    expect(changes.at(-1)?.who).toBe("mia");
  });
});
