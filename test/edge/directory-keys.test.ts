import { type KeysAnswer, type NewKeyAnswer, scopesDefault } from "@ledge/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminAs, done, keyNamed, newKey, publishedBy } from "../support/directory.ts";
import { answerTo, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { admin, echoInference } from "../support/registry.ts";

/** API keys from their issue to their end, by the operator and by tenants themselves. */

let edge: TestEdge;
let published: Awaited<ReturnType<typeof publishedBy>>;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference } });
  published = await publishedBy(edge);
});
afterAll(() => edge.close());

const code = (body: unknown) => (body as { code: string }).code;
const soon = (ms: number) => new Date(Date.now() + ms).toISOString();
const readAndWrite = [{ actions: ["infer", "chat", "admin-read", "admin-write"], models: ["*"] }];

describe("a key", () => {
  test("is issued as ever with a tenant, a name and a rate, and its tenant is made with it", async () => {
    const made = await done<NewKeyAnswer>(edge, "POST", "/keys", {
      tenant: "new",
      name: "web",
      requests_per_minute: 7,
    });
    expect(made).toMatchObject({ tenant: "new", name: "web", requests_per_minute: 7 });
    expect(made.key).toMatch(/^ledge_[A-Za-z0-9_-]{43}$/);
    expect(await done(edge, "GET", "/tenants/new")).toMatchObject({ settings: {}, keys: 1 });
    expect(await published.key(made.id)).toEqual({
      id: made.id,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      tenant: "new",
      name: "web",
      scopes: scopesDefault,
      limits: { requests_per_minute: 7 },
      createdAtMs: expect.any(Number),
    });
  });

  test("has what was said of it: project, scopes, tier, end, addresses, limits", async () => {
    await done(edge, "PUT", "/tenants/new/projects/web", {});
    const expires_at = soon(3_600_000);
    const said = {
      project: "web",
      scopes: [{ actions: ["infer"], models: ["intent@1", "team-*"] }],
      tier: "high",
      limits: { tokens_per_minute: 100, in_flight: 2 },
      ips: ["192.0.2.0/24", "2001:db8::1"],
    };
    const { id } = await newKey(edge, { tenant: "new", ...said, expires_at });
    expect(await keyNamed(edge, id)).toMatchObject({ ...said, state: "active", expires_at });
    expect(await published.key(id)).toMatchObject({ ...said, expiresAtMs: Date.parse(expires_at) });
  });

  test.each([
    [{ ips: ["10.0.0.0/33"] }, 400, "invalid_request"],
    [{ ips: ["example.com"] }, 400, "invalid_request"],
    [{ expires_at: "2020-01-01T00:00:00Z" }, 400, "invalid_request"],
    [{ expires_at: "soon" }, 400, "invalid_request"],
    [{ scopes: [] }, 400, "invalid_request"],
    [{ scopes: [{ actions: ["own"], models: ["*"] }] }, 400, "invalid_request"],
    [{ requests_per_minute: 1, limits: { requests_per_minute: 2 } }, 400, "invalid_request"],
    [{ project: "nothing" }, 404, "project_not_found"],
    [{ user: "nobody" }, 404, "member_not_found"],
    [{ tier: "platinum" }, 404, "terms_not_found"],
  ])("with %j is not issued: %i %s", async (fields, status, expected) => {
    const before = await done<KeysAnswer>(edge, "GET", "/keys?tenant=new");
    const answer = await admin(edge, "POST", "/keys", { tenant: "new", name: "x", ...fields });
    expect([answer.status, code(answer.body)]).toEqual([status, expected]);
    expect(await done(edge, "GET", "/keys?tenant=new")).toEqual(before);
  });

  test("has its plan's rate where it says none, and the deployment's where no plan does", async () => {
    await done(edge, "PUT", "/plans/slow", { tier: "standard", key_limits: { requests_per_minute: 3 } });
    await done(edge, "POST", "/tenants", { tenant: "slow", plan: "slow" });
    expect((await newKey(edge, { tenant: "slow" })).requests_per_minute).toBe(3);
    expect((await newKey(edge, { tenant: "new" })).requests_per_minute).toBe(600);
  });

  test("is changed member by member, and gateways follow within seconds", async () => {
    const { id, key } = await newKey(edge, { tenant: "new", expires_at: soon(3_600_000) });
    const patch = { name: "renamed", limits: { in_flight: 1 }, scopes: [{ actions: ["chat"], models: ["*"] }] };
    expect(await done(edge, "PATCH", `/keys/${id}`, patch)).toMatchObject(patch);
    const endless = await done(edge, "PATCH", `/keys/${id}`, { expires_at: null, limits: null });
    expect(endless).not.toHaveProperty("expires_at");
    expect(endless).not.toHaveProperty("limits");
    const ask = () => edge.post("/v1/predict", key, { model: "intent", input: "hello" });
    await until("the key may not predict any more", async () => (await ask()).status === 403, 10_000);
    for (const wrong of [
      { name: null },
      { hash: "0" },
      { tenant: "acme" },
      { expiresAtMs: 1 },
      { expires_at: "x" },
      "x",
    ]) {
      expect((await admin(edge, "PATCH", `/keys/${id}`, wrong)).status, JSON.stringify(wrong)).toBe(400);
    }
  });

  test("that is rotated goes on beside the new one for the overlap, and the two are linked", async () => {
    const before = await newKey(edge, { tenant: "new", scopes: readAndWrite, limits: { in_flight: 3 } });
    const rotated = await admin(edge, "POST", `/keys/${before.id}/rotate`, { overlap_s: 2 });
    expect(rotated.status).toBe(201);
    const after = rotated.body as NewKeyAnswer;
    expect(after).toMatchObject({ rotated_from: before.id, scopes: readAndWrite, limits: { in_flight: 3 } });
    expect(after.key).not.toBe(before.key);
    expect([await answerTo(edge, before.key), await answerTo(edge, after.key)]).toEqual([
      { status: 200 },
      { status: 200 },
    ]);
    expect(await keyNamed(edge, before.id)).toMatchObject({ rotated_to: after.id, expires_at: expect.any(String) });
    const twice = await admin(edge, "POST", `/keys/${before.id}/rotate`, {});
    expect([twice.status, code(twice.body)]).toEqual([409, "directory_conflict"]);
    await until("the old key ends", async () => (await answerTo(edge, before.key)).status === 401, 10_000);
    expect((await answerTo(edge, before.key)).code).toBe("expired_credentials");
    expect(await answerTo(edge, after.key)).toEqual({ status: 200 });
  });

  test("that is rotated without an overlap ends at once", async () => {
    const before = await newKey(edge, { tenant: "new" });
    const after = await done<NewKeyAnswer>(edge, "POST", `/keys/${before.id}/rotate`, { overlap_s: 0 });
    expect(await published.key(before.id)).toBeNull();
    expect(await keyNamed(edge, before.id)).toMatchObject({ state: "revoked", rotated_to: after.id });
    expect((await answerTo(edge, before.key)).status).toBe(401);
  });

  test("that is revoked is gone from what gateways read, is still told of, and again is the same as once", async () => {
    const { id } = await newKey(edge, { tenant: "new" });
    for (let time = 0; time < 2; time++) expect(await done(edge, "DELETE", `/keys/${id}`)).toEqual({ revoked: id });
    expect(await published.key(id)).toBeNull();
    expect(await keyNamed(edge, id)).toMatchObject({ state: "revoked", revoked_at: expect.stringMatching(/Z$/) });
    const changed = await admin(edge, "PATCH", `/keys/${id}`, { name: "x" });
    expect([changed.status, code(changed.body)]).toEqual([409, "directory_conflict"]);
    for (const unknown of ["0".repeat(24), "x"]) {
      const answer = await admin(edge, "DELETE", `/keys/${unknown}`);
      expect([answer.status, code(answer.body)]).toEqual([404, "key_not_found"]);
    }
  });

  test("is listed by tenant, project and user, in pages, without itself or its hash, and revoked ones only when asked for", async () => {
    await done(edge, "POST", "/tenants", { tenant: "listed" });
    await done(edge, "PUT", "/tenants/listed/projects/web", {});
    await done(edge, "PUT", "/tenants/listed/members/ann", { role: "developer" });
    const keys = [
      await newKey(edge, { tenant: "listed", project: "web" }),
      await newKey(edge, { tenant: "listed", user: "ann" }),
      await newKey(edge, { tenant: "listed" }),
    ];
    const [web, ann, plain] = keys.map(({ id }) => id);
    await done(edge, "DELETE", `/keys/${plain}`);
    const ids = async (query: string) =>
      (await done<KeysAnswer>(edge, "GET", `/keys?${query}`)).keys.map(({ id }) => id);
    expect(await ids("tenant=listed")).toEqual([web, ann].toSorted());
    expect(await ids("tenant=listed&project=web")).toEqual([web]);
    expect(await ids("tenant=listed&user=ann")).toEqual([ann]);
    expect(await ids("tenant=listed&revoked=true")).toEqual([web, ann, plain].toSorted());
    const first = await done<KeysAnswer>(edge, "GET", "/keys?tenant=listed&limit=1");
    expect(await ids(`tenant=listed&after=${first.next}`)).toEqual([web, ann].toSorted().slice(1));
    const text = JSON.stringify(await done(edge, "GET", "/keys?limit=1000&revoked=true"));
    expect(text).not.toContain('"hash"');
    for (const { key } of keys) expect(text).not.toContain(key.slice("ledge_".length));
    expect((await admin(edge, "GET", "/keys?tenants=listed")).status).toBe(400);
  });
});

describe("a tenant's own key", () => {
  let own: NewKeyAnswer;
  let other: NewKeyAnswer;
  const ask = (key: string, method: string, path: string, body?: unknown) =>
    adminAs(edge, key, method, `/v1/keys${path}`, body);

  beforeAll(async () => {
    own = await newKey(edge, { tenant: "self", scopes: readAndWrite });
    other = await newKey(edge, { tenant: "others", scopes: readAndWrite });
  });

  test("with admin-read sees its tenant's keys, and with admin-write issues, rotates and revokes them", async () => {
    const made = await ask(own.key, "POST", "", { name: "mine" });
    expect([made.status, made.body.tenant]).toEqual([201, "self"]);
    expect(await answerTo(edge, made.body.key)).toEqual({ status: 200 });
    const { keys } = (await ask(own.key, "GET", "")).body as KeysAnswer;
    expect(keys.map(({ id }) => id)).toEqual([own.id, made.body.id].toSorted());
    expect((await ask(own.key, "GET", `/${made.body.id}`)).body).toMatchObject({ name: "mine" });
    const rotated = await ask(own.key, "POST", `/${made.body.id}/rotate`, { overlap_s: 0 });
    expect(rotated.body).toMatchObject({ rotated_from: made.body.id, tenant: "self" });
    expect((await ask(own.key, "DELETE", `/${rotated.body.id}`)).body).toEqual({ revoked: rotated.body.id });
    const { rows } = await done<{ rows: { who: string; kind: string }[] }>(
      edge,
      "GET",
      "/audit?log=directory&limit=1000",
    );
    expect(rows.filter(({ who }) => who === `key:${own.id}`).map(({ kind }) => kind)).toEqual([
      "issue-key",
      "rotate-key",
      "revoke-key",
    ]);
  });

  test.each([
    ["GET", "", undefined],
    ["POST", "/rotate", {}],
    ["DELETE", "", undefined],
  ])("asking %s of another tenant's key%s hears what it hears of one that nobody has", async (method, rest, body) => {
    const theirs = await ask(own.key, method, `/${other.id}${rest}`, body);
    const nobodys = await ask(own.key, method, `/${"0".repeat(24)}${rest}`, body);
    expect(theirs.status).toBe(404);
    const { request_id: _, ...first } = theirs.body;
    const { request_id: __, ...second } = nobodys.body;
    expect(first).toEqual(second);
    expect(await keyNamed(edge, other.id)).toMatchObject({ state: "active" });
  });

  test("is given no other tenant and no tier, whatever it asks for", async () => {
    const { keys } = (await ask(own.key, "GET", "?tenant=others")).body as KeysAnswer;
    expect(new Set(keys.map(({ tenant }) => tenant))).toEqual(new Set(["self"]));
    for (const more of [{ tenant: "others" }, { tier: "high" }]) {
      const answer = await ask(own.key, "POST", "", { name: "x", ...more });
      expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
    }
  });

  test("hands on no more than it has, also by rotating a stronger key", async () => {
    const narrow = await newKey(edge, {
      tenant: "self",
      scopes: [{ actions: ["admin-write"], models: ["team-*"] }],
    });
    const issue = async (scopes: unknown) => (await ask(narrow.key, "POST", "", { name: "x", scopes })).status;
    expect(await issue([{ actions: ["infer"], models: ["team-a"] }])).toBe(201);
    expect(await issue([{ actions: ["infer"], models: ["*"] }])).toBe(403);
    expect(await issue([{ actions: ["admin-read"], models: ["team-a"] }])).toBe(403);
    expect((await ask(narrow.key, "POST", `/${own.id}/rotate`, {})).status).toBe(403);
    expect((await ask(narrow.key, "GET", "")).status).toBe(403);
  });

  test("without those scopes is refused, and so is none, and a header that says who asks says nothing", async () => {
    const plain = await newKey(edge, { tenant: "self" });
    const said = encodeURIComponent(JSON.stringify({ tenant: "others", subject: "key:x", scopes: readAndWrite }));
    for (const [key, status] of [
      [plain.key, 403],
      ["nobody's", 401],
    ] as const) {
      const answer = await fetch(`${edge.url}/v1/keys`, {
        headers: { Authorization: `Bearer ${key}`, "Ledge-Caller": said },
      });
      expect(answer.status).toBe(status);
    }
    const answer = await fetch(`${edge.url}/v1/keys`, {
      headers: { Authorization: `Bearer ${own.key}`, "Ledge-Caller": said },
    });
    const { keys } = (await answer.json()) as KeysAnswer;
    expect(new Set(keys.map(({ tenant }) => tenant))).toEqual(new Set(["self"]));
    expect((await fetch(`${edge.url}/admin/..%2fv1/keys`, { headers: { "Ledge-Caller": said } })).status).toBe(404);
  });
});
