import {
  blockOperations,
  cacheOperations,
  jobOperations,
  keyOperations,
  operatorOperations,
  tenancyOperations,
  termsOperations,
  usageOperations,
} from "@ledge/contract/openapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { adminKey, startEdge, type TestEdge, until } from "../support/ledge.ts";
import { publishTenant } from "../support/ledgers.ts";
import { echoInference, sha256 } from "../support/registry.ts";
import { storeKey } from "../support/stored-keys.ts";

/** The operator's API as it is reached: through the gateway, which passes it on to a Worker of its own. */

describe("what the gateway passes on", () => {
  let edge: TestEdge;

  beforeAll(async () => {
    edge = await startEdge({ standIns: { inference: echoInference } });
  });
  afterAll(() => edge.close());

  const paths = [
    ...[
      operatorOperations,
      cacheOperations,
      jobOperations,
      keyOperations,
      tenancyOperations,
      termsOperations,
      usageOperations,
      blockOperations,
    ]
      .flat()
      .map(({ method, path }) => [method.toUpperCase(), path]),
    ["GET", "/metrics"],
    ["POST", "/v2/repository/models/{model}/load"],
    ["POST", "/v2/repository/models/{model}/unload"],
  ].filter(([, path]) => !/^\/admin\/openapi(?:-[a-z]+)?\.json$/.test(path ?? ""));

  test.each(paths)("%s %s is there, and takes a credential", async (method = "", path = "") => {
    const url = edge.url + path.replaceAll(/\{\w+\}/g, "x");
    const answer = await fetch(url, { method, ...(method === "GET" ? {} : { body: "{}" }) });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain("missing_credentials");
    expect(answer.headers.get("WWW-Authenticate")).toBe('Bearer realm="ledge"');
  });

  test("is answered under the caller's request id, or one of ours, with every header said once", async () => {
    const ask = (id: string) =>
      fetch(`${edge.url}/admin/v1/models`, {
        headers: { Authorization: `Bearer ${adminKey}`, "Ledge-Request-Id": id },
      });
    const named = await ask("operator-123");
    expect(named.status).toBe(200);
    expect(named.headers.get("Ledge-Request-Id")).toBe("operator-123");
    expect(named.headers.get("Cache-Status")).toBe("Ledge; fwd=bypass");
    expect(named.headers.get("Server-Timing")).toMatch(/^total;dur=[0-9]+$/);
    expect((await ask("a b")).headers.get("Ledge-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("is one line in the log, by the route's pattern", async () => {
    await edge.post("/admin/v1/models/nobody/rollback", adminKey, {}, { "Ledge-Request-Id": "logged-once" });
    const lines = () => edge.logs.filter((line) => line.includes("logged-once"));
    await until("the line is written", () => lines().length > 0);
    expect(lines()).toHaveLength(1);
    expect(JSON.parse(lines()[0] ?? "")).toMatchObject({
      route: "/admin/v1/models/:model/rollback",
      status: 404,
      code: "model_not_found",
    });
  });

  test("and is nowhere, or takes another method, is said by the operator Worker: 404 and 405", async () => {
    const nowhere = await edge.get("/admin/v1/nothing", adminKey);
    expect([nowhere.status, (await bodyOf(nowhere)).code]).toEqual([404, "not_found"]);
    const method = await edge.post("/admin/v1/audit", adminKey, {});
    expect([method.status, (await bodyOf(method)).code]).toEqual([405, "method_not_allowed"]);
  });

  test("may be a file of many megabytes, which streams through, and is still refused without its length", async () => {
    const bytes = Buffer.alloc(40_000_000, "ledge");
    const url = `${edge.url}/admin/v1/blobs/${sha256(bytes)}`;
    const headers = { Authorization: `Bearer ${adminKey}` };
    const stored = await fetch(url, { method: "PUT", headers, body: bytes });
    expect(await bodyOf(stored)).toEqual({ sha256: sha256(bytes), bytes: bytes.length });
    const body = new Blob(["a file"]).stream();
    const refused = await fetch(url, { method: "PUT", headers, body, duplex: "half" } as RequestInit);
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([400, "invalid_header"]);
  });
});

/** Throws at whatever it is asked, its Durable Objects too. */
const deadOperator = `import { DurableObject } from "cloudflare:workers";
  class Dead extends DurableObject { constructor() { throw new Error("dead"); } }
  export class Registry extends Dead {}
  export class Tally extends Dead {}
  export class HotList extends Dead {}
  export class CacheKeeper extends Dead {}
  export class Directory extends Dead {}
  export class Ledger extends Dead {}
  export class LedgerList extends Dead {}
  export default { fetch() { throw new Error("dead"); } };`;

describe("an operator Worker that is dead", () => {
  let edge: TestEdge;
  let key: string;

  beforeAll(async () => {
    edge = await startEdge({ standIns: { inference: echoInference, operator: deadOperator } });
    ({ key } = await storeKey(edge));
  });
  afterAll(() => edge.close());

  test("stops a tenant that has quotas, since money is a hard stop, and says when to come back", async () => {
    await publishTenant(edge, "bounded", { calls_per_day: 100 });
    const bounded = await storeKey(edge, { tenant: "bounded" });
    const refused = await edge.post("/v1/predict", bounded.key, { model: "intent", input: "hello" });
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([503, "ledger_unavailable"]);
    expect(refused.headers.get("Retry-After")).toBe("1");
    const report = await edge.get("/v1/usage", bounded.key);
    expect([report.status, (await bodyOf(report)).code]).toEqual([503, "ledger_unavailable"]);
  });

  test("takes nothing from callers: predictions, lists and tensors' metadata answer as before", async () => {
    for (let call = 0; call < 3; call++) {
      const answer = await edge.post("/v1/predict", key, { model: "intent", input: `call ${call}` });
      expect([answer.status, answer.headers.get("Ledge-Model")]).toEqual([200, "intent@1"]);
    }
    expect((await edge.get("/v1/models", key)).status).toBe(200);
    expect((await edge.get("/v2/models/intent", key)).status).toBe(200);
    expect((await edge.get("/readyz")).status).toBe(200);
  });

  test.each([
    ["GET", "/admin/v1/models"],
    ["PUT", "/admin/v1/models/intent/stable"],
    ["GET", "/metrics"],
    ["GET", "/openapi.json"],
  ])("answers %s %s with 503 operator_unavailable and when to come back", async (method, path) => {
    const headers = { Authorization: `Bearer ${adminKey}`, "Ledge-Request-Id": "dead-1" };
    const body = method === "GET" ? {} : { body: "{}" };
    const answer = await fetch(edge.url + path, { method, headers, ...body });
    expect([answer.status, (await bodyOf(answer)).code]).toEqual([503, "operator_unavailable"]);
    expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
    expect(answer.headers.get("Ledge-Request-Id")).toBe("dead-1");
    expect(answer.headers.get("Retry-After")).toBe("1");
  });

  test("answers a load in the shape of the Open Inference Protocol", async () => {
    const answer = await edge.post("/v2/repository/models/intent/load", adminKey, {});
    expect(answer.status).toBe(503);
    expect((await bodyOf(answer)).error).toMatch(/^operator_unavailable: /);
  });

  test("leaves what is counted unread, by a code, and ratings untaken", async () => {
    const statistics = await edge.get("/v2/models/stats", key);
    expect([statistics.status, (await bodyOf(statistics)).error]).toEqual([503, expect.stringMatching(/^counts_una/)]);
    const rating = { request_id: "r", model: "intent@1", score: 1 };
    const rated = await edge.post("/v1/feedback", key, rating);
    expect([rated.status, (await bodyOf(rated)).code]).toEqual([503, "counter_unavailable"]);
  });
});
