import type { CacheAnswer } from "@ledge/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operate } from "../../scripts/local/packages.ts";
import { publishedBy } from "../support/cache-keeper.ts";
import { adminKey, startEdge, type TestEdge } from "../support/ledge.ts";
import { admin, deskOf, echoInference, registerIntent } from "../support/registry.ts";

/** The cache's rules by the operator's API, against the real gateway, the keeper's Durable Object and KV. */

let edge: TestEdge;
let key: string;
let published: Awaited<ReturnType<typeof publishedBy>>;

beforeAll(async () => {
  edge = await startEdge({ standIns: { inference: echoInference }, gateway: { CACHE_TTL_S: "1200" } });
  ({ key } = await edge.issueKey());
  published = await publishedBy(edge);
  await registerIntent(edge, "one", "words");
});
afterAll(() => edge.close());

const shown = async (at = edge) => (await admin(at, "GET", "/cache")).body as CacheAnswer;
const purge = (body: unknown) => admin(edge, "POST", "/cache/purge", body);
const code = (body: unknown) => (body as { code?: string }).code;

describe("a cache that nobody has touched", () => {
  test("has the deployment's policy, no purge and no change", async () => {
    expect(await shown()).toEqual({
      number: 0,
      default_policy: {
        enabled: true,
        ttl_s: 1200,
        ttl_s_max: 2_592_000,
        stale_while_revalidate_s: 60,
        stale_if_error_s: 3600,
        entry_bytes_max: 8_388_608,
        vary: [],
        semantic: { enabled: false },
      },
      purges: [],
      models: {},
      tenants: {},
      changes: [],
    });
  });
});

test.each([
  "GET /cache",
  "POST /cache/purge",
  "GET /models/words/cache",
  "PUT /models/words/cache",
  "DELETE /tenants/acme/cache",
  "GET /tenants/acme/cache/keys",
  "POST /tenants/acme/cache/keys/rotate",
  "DELETE /tenants/acme/cache/keys",
])("%s is the operator's alone: a caller's key does not open it", async (route) => {
  const [method = "", path = ""] = route.split(" ");
  const desk = { edge: edge.url, adminKey: key };
  const answer = await operate(desk, method, `/admin/v1${path}`, method === "GET" ? undefined : "{}");
  expect(answer.status).toBe(401);
});

describe("a policy", () => {
  test.each(["/models/words/cache", "/tenants/globex/cache", "/tenants/urn%3Aorg%3A1/cache"])(
    "at %s is set, shown, replaced and taken away",
    async (path) => {
      expect(await admin(edge, "GET", path)).toEqual({ status: 200, body: {} });
      const policy = { ttl_s: 60, vary: ["accept-language"], semantic: { enabled: true } };
      expect(await admin(edge, "PUT", path, policy)).toEqual({ status: 200, body: policy });
      expect(await admin(edge, "GET", path)).toEqual({ status: 200, body: policy });
      expect(await admin(edge, "PUT", path, { enabled: false })).toEqual({ status: 200, body: { enabled: false } });
      expect(await admin(edge, "DELETE", path)).toEqual({ status: 200, body: {} });
      expect(await admin(edge, "DELETE", path)).toEqual({ status: 200, body: {} });
      expect(await admin(edge, "GET", path)).toEqual({ status: 200, body: {} });
    },
  );

  test("of a model that nobody knows, or that names one, is a 404, and changes nothing", async () => {
    const { number } = await shown();
    for (const method of ["GET", "PUT", "DELETE"]) {
      const body = method === "PUT" ? { ttl_s: 60 } : undefined;
      const answer = await admin(edge, method, "/models/nobody/cache", body);
      expect([method, answer.status, code(answer.body)]).toEqual([method, 404, "model_not_found"]);
    }
    for (const semantic of [{ embedder: "nobody" }, { embedder: "words", verifier: "nobody" }]) {
      const { status, body } = await admin(edge, "PUT", "/tenants/acme/cache", { semantic });
      expect([status, body]).toEqual([404, expect.objectContaining({ detail: "The registry has no model 'nobody'." })]);
    }
    expect((await shown()).number).toBe(number);
  });

  test("that is out of range, contradicts itself or is of a tenant that cannot be is a 400 that names every fault", async () => {
    const { number } = await shown();
    const issues = async (path: string, body: unknown) => {
      const answer = await admin(edge, "PUT", path, body);
      expect([answer.status, code(answer.body)]).toEqual([400, "invalid_request"]);
      return (answer.body as { issues: { path: string }[] }).issues.map((issue) => issue.path);
    };
    expect(await issues("/models/words/cache", { ttl_s: 0, vary: ["Accept Language"], collapse: "never" })).toEqual([
      "ttl_s",
      "vary[0]",
      "collapse",
    ]);
    expect(await issues("/models/words/cache", { ttl_s: 60, ttl_s_max: 30, vary: ["a", "a"] })).toEqual([
      "ttl_s",
      "vary",
    ]);
    expect(await issues("/tenants/__proto__/cache", { ttl_s: 60 })).toEqual(["tenant"]);
    expect(await issues("/tenants/a%0Ab/cache", { ttl_s: 60 })).toEqual(["tenant"]);
    expect(await issues("/tenants/acme/cache", { ttl: 60 })).toHaveLength(1);
    expect((await shown()).number).toBe(number);
  });
});

describe("a purge", () => {
  test.each([
    [{ tenant: "acme", tag: "faq:2" }, "tag:acme:faq:2"],
    [{ tenant: "acme", key: "0123456789abcdef0123456789abcdef" }, "key:acme:0123456789abcdef0123456789abcdef"],
    [{ model: "words", version: "1" }, "version:words@1"],
    [{ model: "words" }, "model:words"],
    [{ tenant: "acme" }, "tenant:acme"],
    [{ all: true }, "all"],
  ])("of %j is known under %s, and published when it is answered", async (body, scope) => {
    const { number } = await shown();
    const answer = await purge(body);
    expect(answer).toEqual({ status: 200, body: { number: number + 1 } });
    expect((await published.rules())?.purges[scope]?.number).toBe(number + 1);
    const { purges } = await shown();
    expect(purges.at(-1)).toEqual({ scope, number: number + 1, at: expect.stringMatching(/^20.*Z$/) });
  });

  test.each([
    ["nothing", {}],
    ["everything but something", { all: true, tenant: "acme" }],
    ["not everything", { all: false }],
    ["everything in quotes", { all: "true" }],
    ["a tag of nobody", { tag: "faq" }],
    ["a tag that cannot be", { tenant: "acme", tag: "a b" }],
    ["an entry that cannot be", { tenant: "acme", key: "0123" }],
    ["a tag and an entry", { tenant: "acme", tag: "a", key: "0123456789abcdef0123456789abcdef" }],
    ["a version of no model", { version: "1" }],
    ["a tenant's model", { tenant: "acme", model: "words" }],
    ["a list", [{ all: true }]],
    ["null", null],
  ])("of %s is a 400 that says what to send, and purges nothing", async (_what, body) => {
    const { number } = await shown();
    const answer = await purge(body);
    expect([answer.status, code(answer.body)]).toEqual([400, "invalid_request"]);
    expect((answer.body as { detail: string }).detail).toContain('{"all": true}');
    expect((await shown()).number).toBe(number);
  });

  test("of a model or version that nobody knows is a 404, and purges nothing", async () => {
    const { number } = await shown();
    const model = await purge({ model: "wrods" });
    expect([model.status, code(model.body)]).toEqual([404, "model_not_found"]);
    const version = await purge({ model: "words", version: "9" });
    expect([version.status, code(version.body)]).toEqual([404, "version_not_found"]);
    expect((await shown()).number).toBe(number);
  });

  test("that comes with many others is published all the same, the last state last", async () => {
    const tags = Array.from({ length: 40 }, (_, i) => `t${i}`);
    const answers = await Promise.all(tags.map((tag) => purge({ tenant: "acme", tag })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const state = await published.rules();
    for (const tag of tags) expect(state?.purges).toHaveProperty([`tag:acme:${tag}`]);
    expect(state?.number).toBe((await shown()).number);
  });
});

test("whatever is sent as a policy or a purge is done or a 4xx with a code, and nothing is a 500", async () => {
  const json = fc.jsonValue({ maxDepth: 3 });
  const members = fc.record({ ttl_s: json, vary: json, semantic: json, tenant: json, all: json }, { requiredKeys: [] });
  const values = [...fc.sample(json, 150), ...fc.sample(members, 150)].map((value) => JSON.stringify(value));
  const texts = [...values, "", "{", '{"all":', "[".repeat(5_000), '{"__proto__":{"all":true}}', "\ud800"];
  const desk = deskOf(edge);
  for (const [method, path] of [
    ["PUT", "/admin/v1/tenants/odd/cache"],
    ["PUT", "/admin/v1/models/words/cache"],
    ["POST", "/admin/v1/cache/purge"],
  ] as const) {
    const answers = await Promise.all(texts.map((text) => operate(desk, method, path, text)));
    for (const [i, answer] of answers.entries()) {
      const body = (await answer.json()) as { code?: string };
      const said = answer.status < 300 || (answer.status >= 400 && answer.status < 500 && body.code !== undefined);
      expect([path, texts[i], answer.status, said]).toEqual([path, texts[i], answer.status, true]);
    }
  }
});

describe("registering, rolling back and removing a version", () => {
  test("change nothing of the cache's rules: version and digest are part of what names an answer", async () => {
    const before = await shown();
    await registerIntent(edge, "two", "words");
    await admin(edge, "PUT", "/models/words/stable", { version: "2" });
    await admin(edge, "POST", "/models/words/rollback");
    await admin(edge, "DELETE", "/models/words/versions/2");
    expect(await shown()).toEqual(before);
  });

  test("never make one version answer for another, although nothing is purged", async () => {
    await registerIntent(edge, "three", "words");
    await registerIntent(edge, "four", "words");
    const ask = async () => {
      const answer = await edge.post("/v1/predict", key, { model: "words", input: "the same question" });
      const { output } = (await answer.json()) as { output: { label: string } };
      return { label: output.label, model: answer.headers.get("Ledge-Model") };
    };
    for (const version of ["3", "4", "3", "1", "4"]) {
      await admin(edge, "PUT", "/models/words/stable", { version });
      // The isolate that passed the change on knows it; asked twice, the second answer is kept.
      for (let time = 0; time < 2; time++) {
        expect(await ask()).toEqual({ label: `words@${version}`, model: `words@${version}` });
      }
    }
    expect((await admin(edge, "POST", "/models/words/rollback")).status).toBe(200);
    expect(await ask()).toEqual({ label: "words@1", model: "words@1" });
  });
});

test("every change says who made it, when, from what and to what: the last hundred are shown, ascending", async () => {
  await admin(edge, "PUT", "/models/words/cache", { ttl_s: 60 });
  await admin(edge, "PUT", "/models/words/cache", { ttl_s: 90 });
  const { changes, number } = await shown();
  expect(changes.at(-1)).toEqual({
    number,
    at: expect.stringMatching(/^20.*Z$/),
    who: "operator",
    kind: "set-policy",
    scope: "model:words",
    from: { ttl_s: 60 },
    to: { ttl_s: 90 },
  });
  const policies = Array.from({ length: 101 }, (_, i) => ({ ttl_s: 100 + i }));
  for (const policy of policies) await admin(edge, "PUT", "/tenants/busy/cache", policy);
  const { changes: last } = await shown();
  expect(last.map(({ to }) => to)).toEqual(policies.slice(-100));
});

test("the operator's key is never in the log", () => {
  expect(deskOf(edge).adminKey).toBe(adminKey);
  expect(edge.logs.join("\n")).not.toContain(adminKey);
});
