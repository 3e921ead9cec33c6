import { request as rawRequest } from "node:http";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildVariant } from "../../scripts/edge/build.ts";
import { repoRoot } from "../../scripts/repo.ts";
import { type ChatOrigin, startChatOrigin } from "../support/chat-origin.ts";
import { isOpen, isOperators, pathOf, rows, type Things, type Try } from "../support/isolation.ts";
import { startEdge, type TestEdge, until } from "../support/ledge.ts";
import { everyOperation } from "../support/operations.ts";
import { echoInference } from "../support/registry.ts";
import { nobodys, owner, twoTenants } from "../support/two-tenants.ts";

/**
 * One tenant tries every route with another's ids, and with ids that nobody has: the answers are the same to the letter, and so
 * is what the Workers do for them. How long that takes is measured by `npm run measure:isolation` (docs/security.md).
 */

const everything = await everyOperation();

let edge: TestEdge;
let origin: ChatOrigin;
/** May do everything in its tenant. */
let mine: string;
/** May ask one model. */
let scoped: string;
let theirKey: string;
let theirs: Things;

beforeAll(async () => {
  const variant = (worker: "gateway" | "operator") =>
    buildVariant(worker, join(repoRoot, "test", "edge", `counted-${worker}.mjs`), `${worker}-counted`);
  const bundles = { gateway: await variant("gateway"), operator: await variant("operator") };
  origin = await startChatOrigin();
  origin.onCall = (call) => call.whole("a secret of umbra's");
  // Who asks for so much that is not there would be kept out after a while (abuse.test.ts).
  const gateway = { ABUSE: "off" };
  edge = await startEdge({ originUrl: origin.url, bundles, gateway, standIns: { inference: echoInference } });
  ({ theirs, theirKey, mine, scoped } = await twoTenants(edge));
  // What acme knows about itself is there before anything is compared.
  await ask(mine, "GET /v1/usage", nobodys, {});
});
afterAll(async () => {
  await edge.close();
  await origin.close();
});

interface Heard {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What the Workers asked of their bindings. */
  readonly work: Readonly<Record<string, number>>;
}

/** What says how long something took, or how much is left, is no answer to what was asked. */
const passing = new Set(["date", "server-timing", "ratelimit"]);

async function ask(key: string, operation: string, things: Things, tried: Try): Promise<Heard> {
  const [method = ""] = operation.split(" ");
  await fetch(`${edge.url}/test/work`);
  const answer = await fetch(edge.url + pathOf(operation, things, tried.query), {
    method,
    headers: {
      Authorization: `Bearer ${key}`,
      "Content-Type": "application/json",
      "Ledge-Request-Id": "one-and-the-same",
      ...tried.headers,
    },
    ...(method === "GET" ? {} : { body: JSON.stringify(tried.body ?? {}) }),
  });
  const body = await answer.text();
  const work = (await (await fetch(`${edge.url}/test/work`)).json()) as Record<string, number>;
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !passing.has(name)));
  // An answer may say back what the caller wrote.
  const names = Object.values(things).toSorted((a, b) => b.length - a.length);
  const blind = (text: string) =>
    names.reduce((left, name) => (name.length < 3 ? left : left.replaceAll(name, "…")), text);
  headers["content-length"] = "";
  return { status: answer.status, body: blind(body), headers, work };
}

/**
 * What is done behind answers comes now and then beside any of them: the least of some tries is what one takes. Meters are not
 * counted: they are the caller's own, and asked when its lease is over, whatever is asked for.
 */
function least(heard: readonly Heard[]): Readonly<Record<string, number>> {
  const names = new Set(heard.flatMap(({ work }) => Object.keys(work)).filter((name) => name !== "METERS.ask"));
  const counts = [...names].map((name) => [name, Math.min(...heard.map(({ work }) => work[name] ?? 0))] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

async function compare(operation: string, key: string, tries: (things: Things) => readonly Try[]) {
  for (const [index, tried] of tries(theirs).entries()) {
    const unknown = tries(nobodys)[index] ?? {};
    const [foreign, none]: [Heard[], Heard[]] = [[], []];
    for (let round = 0; round < 4; round++) {
      foreign.push(await ask(key, operation, theirs, tried));
      none.push(await ask(key, operation, nobodys, unknown));
    }
    const said = ({ status, body, headers }: Heard) => [status, body, headers];
    expect(foreign.map(said), `${operation} ${JSON.stringify(tried)}`).toEqual(none.map(said));
    // The first of each pays for what isolates learn once.
    expect(least(foreign.slice(1)), `what ${operation} takes`).toEqual(least(none.slice(1)));
    return foreign.map(({ status, body }) => ({ status, body }));
  }
  return [];
}

test("every route of the tables and of the documents is an operator's, open, or has a row of tries", () => {
  const untried = everything.filter((one) => !isOperators(one) && !isOpen(one) && rows[one] === undefined);
  expect(untried).toEqual([]);
  expect(Object.keys(rows).filter((one) => !everything.includes(one))).toEqual([]);
});

describe("another tenant's ids get what ids get that nobody has", () => {
  test.each(Object.entries(rows))("%s", { timeout: 60_000 }, async (operation, row) => {
    const heard = await compare(operation, row.scoped === true ? scoped : mine, row.tries);
    for (const { status, body } of heard) {
      expect(status).toBe(row.status);
      expect(body).not.toContain("secret");
    }
  });
});

describe("a tenant's strongest key, with another tenant's ids, gets 401 as with nobody's", () => {
  test.each(everything.filter(isOperators))("%s", async (operation) => {
    const [first] = await compare(operation, mine, () => [{}]);
    expect(first?.status).toBe(401);
  });
});

test("what was tried has changed nothing of the other tenant's: its key, its answer, its rating", async () => {
  expect((await edge.get("/v1/keys", theirKey)).status).toBe(200);
  const { keys } = (await (await edge.get("/v1/keys", theirKey)).json()) as { keys: { id: string; state: string }[] };
  expect(keys.map(({ id, state }) => [id, state])).toEqual([[theirs.id, "active"]]);
  const body = { model: "tiny-chat", messages: [{ role: "user", content: theirs.prompt }], temperature: 0 };
  const again = await edge.post("/v1/chat/completions", theirKey, body, { "Cache-Control": "only-if-cached" });
  expect([again.status, again.headers.get("Cache-Status")]).toEqual([200, expect.stringContaining("hit")]);
});

describe("a caller who says to be another", () => {
  const forged = encodeURIComponent(JSON.stringify({ tenant: "umbra", subject: "key:x", scopes: owner }));

  /** The path as it is written: `fetch` would tidy it. */
  function raw(path: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(edge.url);
      const request = rawRequest({ hostname, port, path, headers }, async (response) => {
        resolve({ status: response.statusCode ?? 0, body: await textOf(response) });
      });
      request.on("error", reject);
      request.end();
    });
  }

  test("in the header that Workers tell each other by is who its key says", async () => {
    const answer = await raw("/v1/keys", { Authorization: `Bearer ${mine}`, "Ledge-Caller": forged });
    expect([answer.status, answer.body.includes(theirs.id)]).toEqual([200, false]);
    expect((await raw("/v1/keys", { Authorization: `Bearer ${scoped}`, "Ledge-Caller": forged })).status).toBe(403);
    expect((await raw("/v1/keys", { "Ledge-Caller": forged })).status).toBe(401);
  });

  test.each([
    "/admin/../v1/keys",
    "/admin/%2e%2e/v1/keys",
    "/admin/v1/..%2f..%2fv1/keys",
    "/admin/%2e%2e%2fv1%2fkeys",
    "//v1/keys",
    "/v1/keys/",
    "/v1//keys",
    "/v1/keys;x=1",
    "/V1/keys",
    "/admin/v1/keys/../../../v1/keys",
  ])("gets nothing of it by the path %s", async (path) => {
    for (const authorization of [undefined, `Bearer ${scoped}`]) {
      const headers = {
        "Ledge-Caller": forged,
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      };
      const { status, body } = await raw(path, headers);
      expect([status >= 400 && status < 500, body.includes(theirs.id)], `${status} ${body}`).toEqual([true, false]);
    }
  });
});

test("a report on usage names its own tenant's keys and no others", async () => {
  await until("umbra's call is told of", async () => (await keysIn(theirKey)).length > 0, 20_000);
  expect(await keysIn(theirKey)).toEqual([theirs.id]);
  expect(await keysIn(mine)).not.toContain(theirs.id);
});

async function keysIn(key: string): Promise<readonly string[]> {
  const { lines } = (await (await edge.get("/v1/usage?by=key", key)).json()) as { lines: { key: string }[] };
  return lines.map((line) => line.key);
}
