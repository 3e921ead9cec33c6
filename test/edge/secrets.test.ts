import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { done, newKey } from "../support/directory.ts";
import { keptFiles } from "../support/kept-files.ts";
import {
  adminKey,
  cacheSecret,
  keyPepper,
  originSecret,
  startEdge,
  startFakeOrigin,
  type TestEdge,
  tellNoSecrets,
  until,
} from "../support/ledge.ts";
import { Signer } from "../support/signer.ts";

/** Whatever callers and operators say, and whatever fails: what is secret is on no console and in no store, edge and origin. */

const prompt = "a prompt that is nobody else's";
const said = ["an-answer-that", "-is-nobody-elses"];
const wrongKey = `ledge_${"w".repeat(43)}`;
const opaque = "an-opaque-token-of-somebodys";
const inQuery = "a-secret-that-slipped-into-a-query";

let dataDir: string;
let edge: TestEdge;
let origin: Awaited<ReturnType<typeof startFakeOrigin>>;
/** Never to be told, and never to be kept as they are. */
const secrets = new Set([adminKey, originSecret, cacheSecret, keyPepper, wrongKey, opaque, inQuery, prompt]);
const answer = said.join("");

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "ledge-secrets-"));
  origin = await startFakeOrigin({ tokens: said });
  const issuer = { name: "idp", issuer: "https://idp.example", audiences: ["ledge"], jwks_url: "http://127.0.0.1:1/" };
  edge = await startEdge({
    originUrl: origin.url,
    dataDir,
    identity: { ISSUERS: JSON.stringify([issuer]), PRIVATE_ISSUERS: "allow" },
  });
  await everythingOnce();
});
afterAll(async () => {
  await edge.close();
  await origin.close();
  rmSync(dataDir, { recursive: true });
});

/** Calls that succeed, are refused and fail, by every kind of credential. */
async function everythingOnce(): Promise<void> {
  const scopes = [{ actions: ["chat", "infer", "admin-read", "admin-write"], models: ["*"] }];
  const { key } = await newKey(edge, { scopes });
  const made = await edge.post("/v1/keys", key, { name: "another" });
  const another = ((await made.json()) as { key: string }).key;
  await done(edge, "POST", "/tenants", { tenant: "told" });
  const { secret } = await done<{ secret: string }>(edge, "PUT", "/tenants/told/webhook", {
    url: "https://hooks.example/a",
  });
  const token = await (await Signer.of("ES256", "1")).sign({ iss: "https://idp.example", aud: "ledge", sub: "ada" });
  for (const one of [key, another, secret, token, answer]) secrets.add(one);
  const chat = (more: object = {}) => ({
    model: "tiny-chat",
    messages: [{ role: "user", content: prompt }],
    temperature: 0,
    ...more,
  });
  for (const credential of [key, another, wrongKey, opaque, token, adminKey, "", originSecret]) {
    await (await edge.post("/v1/chat/completions", credential, chat())).text();
    await (await edge.post("/v1/chat/completions", credential, chat({ stream: true, user: "u" }))).text();
    await (await edge.post(`/v1/predict?api_key=${inQuery}`, credential, { model: "intent", input: prompt })).text();
    await (await edge.post("/admin/v1/keys", credential, { tenant: "acme", name: "x", oops: prompt })).text();
    await (await edge.get(`/${inQuery}/${wrongKey}`, credential)).text();
  }
  await (await edge.post("/v1/chat/completions", key, `{"model": "${prompt}`)).text();
  await (await edge.post("/v1/chat/completions", key, chat({ model: prompt }))).text();
  await (await edge.post("/v1/chat/completions", key, chat({ messages: prompt }))).text();
  await origin.kill();
  await (await edge.post("/v1/chat/completions", key, chat({ seed: 1 }))).text();
  await until("the failure is told", () => edge.logs.some((line) => line.includes("origin_unavailable")));
}

describe("no key, token, secret, input or answer", () => {
  test("is on a console of the edge or of the origin", () => {
    const logs = [...edge.logs, ...origin.logs];
    expect(logs.length).toBeGreaterThan(30);
    tellNoSecrets(logs, secrets);
  });

  test("is as it is in anything that the edge keeps: KV, R2, Durable Objects", async () => {
    const kept = keptFiles(dataDir);
    expect(kept.length).toBeGreaterThan(5);
    const found = [...secrets].filter((secret) => kept.some((bytes) => bytes.includes(secret)));
    expect(found).toEqual([]);
    // What is no secret is found, so what is one would have been.
    expect(kept.some((bytes) => bytes.includes("hooks.example"))).toBe(true);
  });
});
