import { createHmac, randomBytes } from "node:crypto";
import { headers } from "@ledge/contract";
import { signatureText, textToSign } from "@ledge/policy/origins";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunningOrigin } from "../../scripts/local/origin.ts";
import { bodyOf } from "../support/answer-body.ts";
import { originSecret, startEdge, startFakeOrigin, type TestEdge, until } from "../support/ledge.ts";
import { sha256 } from "../support/registry.ts";

/** The Worker between the gateway and the origins: when it is not there, what it sends, and who may send it. */

const chat = { model: "tiny-chat", messages: [{ role: "user", content: "hello" }] };
const broken = `export default { fetch() { throw new Error("boom"); } };`;

let origin: RunningOrigin;
let open: TestEdge[] = [];

beforeAll(async () => {
  origin = await startFakeOrigin({ tokens: ["well"] });
});
afterEach(async () => {
  await Promise.all(open.map((edge) => edge.close()));
  open = [];
});
afterAll(() => origin.close());

async function start(options: Parameters<typeof startEdge>[0]) {
  const edge = await startEdge({ originUrl: origin.url, ...options });
  open.push(edge);
  return { edge, key: (await edge.issueKey()).key };
}

describe("a dispatch Worker that", () => {
  test.each([
    ["throws", { standIns: { dispatch: broken } }],
    ["lacks its secret", { dispatch: { ORIGIN_SECRET: "" } }],
    ["lacks an origin", { dispatch: { ORIGIN_URL: "" } }],
    ["cannot read its pools", { dispatch: { ORIGINS: "[{" } }],
  ])("%s is a clear 503 to a chat, and the edge goes on answering", async (_what, options) => {
    const { edge, key } = await start(options);
    const refused = await edge.post("/v1/chat/completions", key, chat);
    expect([refused.status, (await bodyOf(refused)).error.code]).toEqual([503, "origin_unavailable"]);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect((await edge.post("/v1/predict", key, { model: "intent", input: "hello" })).status).toBe(200);
  });

  test("is set up wrongly names every wrong variable in its log, and no value", async () => {
    const { edge, key } = await start({ dispatch: { ORIGIN_SECRET: "tooshort", ORIGINS: "[{" } });
    await edge.post("/v1/chat/completions", key, chat);
    await until("the log names them", () =>
      edge.logs.some((line) => ["ORIGIN_SECRET", "ORIGINS"].every((name) => line.includes(name))),
    );
    expect(edge.logs.join("\n")).not.toContain("tooshort");
  });
});

/** As the edge signs a chat with this body. */
function signedFor(body: string): Record<string, string> {
  const named: Record<string, string> = { "Content-Type": "application/json" };
  const once = { atMs: Date.now(), nonce: randomBytes(16).toString("hex"), bodySha256: sha256(body) };
  const text = textToSign({
    ...once,
    method: "POST",
    path: "/v1/chat/completions",
    header: (name) => named[name] ?? null,
  });
  const mac = createHmac("sha256", originSecret).update(text).digest("hex");
  return { ...named, [headers.signature]: signatureText({ ...once, mac }) };
}

describe("an origin", () => {
  const body = JSON.stringify(chat);

  function ask(more: Readonly<Record<string, string>>): Promise<Response> {
    return fetch(`${origin.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...more },
      body,
    });
  }

  test("says in the answer that it gave it", async () => {
    const { edge, key } = await start({});
    const answer = await edge.post("/v1/chat/completions", key, chat);
    expect([answer.status, answer.headers.get("Ledge-Origin")]).toEqual([200, "origin; region=default; attempts=1"]);
  });

  test("takes a signed request once, and not with another body", async () => {
    const signed = signedFor(body);
    expect((await ask(signed)).status).toBe(200);
    expect((await ask(signed)).status).toBe(401);
    expect((await ask(signedFor(`${body} `))).status).toBe(401);
  });

  test("takes the secret itself from nobody unless it is set up to", async () => {
    const secret = { Authorization: `Bearer ${originSecret}` };
    expect((await ask(secret)).status).toBe(401);
    const migrating = await startFakeOrigin({ tokens: ["well"] }, "none", { ORIGIN_AUTH: "either" });
    const answer = await fetch(`${migrating.url}/v1/models`, { headers: secret });
    await migrating.close();
    expect(answer.status).toBe(200);
  });
});
