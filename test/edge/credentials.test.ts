import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { answerTo, startEdge, type TestEdge } from "../support/ledge.ts";
import { admin, echoInference } from "../support/registry.ts";
import { Signer } from "../support/signer.ts";
import { storeKey } from "../support/stored-keys.ts";

/** Who may do what, at the real edge: scopes, addresses, certificates, tokens found by discovery, tokens that are asked about. */

let edge: TestEdge;
let server: Server;
let issuer: string;
let signer: Signer;
const active = new Map<string, Record<string, unknown>>();

beforeAll(async () => {
  signer = await Signer.of("ES256", "1");
  server = createServer(async (request, response) => {
    if (request.url === "/.well-known/openid-configuration") {
      response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }));
    } else if (request.url === "/keys") response.end(JSON.stringify({ keys: [signer.jwk] }));
    else
      response.end(
        JSON.stringify(active.get(new URLSearchParams(await textOf(request)).get("token") ?? "") ?? { active: false }),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const idp = {
    name: "idp",
    issuer,
    audiences: ["ledge"],
    tenant: "acme",
    claims: { scopes: "scope" },
    introspection: { url: `${issuer}/introspect`, client_id: "ledge" },
  };
  edge = await startEdge({
    standIns: { inference: echoInference },
    identity: {
      ISSUERS: JSON.stringify([idp]),
      ISSUER_SECRETS: JSON.stringify({ idp: "secret" }),
      PRIVATE_ISSUERS: "allow",
    },
  });
});
afterAll(async () => {
  await edge.close();
  server.close();
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

const ask = (key: string, model = "intent") => edge.post("/v1/predict", key, { model, input: "hello" });

async function codeOf(answer: Response) {
  return answer.status === 200 ? 200 : [answer.status, (await bodyOf(answer)).code];
}

describe("a key's scopes", () => {
  test("let it ask their models, and others are 403 whether they exist or not", async () => {
    const { key } = await storeKey(edge, { scopes: [{ actions: ["infer"], models: ["intent"] }] });
    expect(await codeOf(await ask(key))).toBe(200);
    expect(await codeOf(await ask(key, "tiny-chat"))).toEqual([403, "scope_denied"]);
    expect(await codeOf(await ask(key, "nothing-like-it"))).toEqual([403, "scope_denied"]);
  });

  test("may be for one version of a model", async () => {
    const { key } = await storeKey(edge, { scopes: [{ actions: ["infer"], models: ["intent@1"] }] });
    const { key: other } = await storeKey(edge, { scopes: [{ actions: ["infer"], models: ["intent@9"] }] });
    expect(await codeOf(await ask(key))).toBe(200);
    expect(await codeOf(await ask(other))).toEqual([403, "scope_denied"]);
  });

  test("are for actions: a key to embed with neither predicts nor gives feedback", async () => {
    const { key } = await storeKey(edge, { scopes: [{ actions: ["embed"], models: ["*"] }] });
    expect(await codeOf(await ask(key))).toEqual([403, "scope_denied"]);
    const rating = { request_id: "r", model: "intent@1", score: 1 };
    expect(await codeOf(await edge.post("/v1/feedback", key, rating))).toEqual([403, "scope_denied"]);
    expect(await answerTo(edge, key)).toEqual({ status: 200 });
  });
});

describe("a key", () => {
  test("that has expired is refused, and told so", async () => {
    const { key } = await storeKey(edge, { expiresAtMs: Date.now() - 1 });
    expect(await answerTo(edge, key)).toEqual({ status: 401, code: "expired_credentials" });
  });

  test("with a list of addresses is refused from any other", async () => {
    const { key } = await storeKey(edge, { ips: ["192.0.2.0/24"] });
    const from = (address: string) =>
      edge.post("/v1/predict", key, { model: "intent", input: "hello" }, { "CF-Connecting-IP": address });
    expect(await codeOf(await from("192.0.2.9"))).toBe(200);
    expect(await codeOf(await from("198.51.100.9"))).toEqual([403, "address_denied"]);
  });

  test("of a suspended tenant is refused", async () => {
    const { key } = await storeKey(edge, { tenant: "gone" });
    const keys = await edge.miniflare.getKVNamespace("KEYS", "ledge-gateway");
    await keys.put("tenant:gone", JSON.stringify({ tenant: "gone", state: "suspended", plan: "internal" }));
    expect(await answerTo(edge, key)).toEqual({ status: 403, code: "tenant_suspended" });
  });
});

describe("a token", () => {
  test("is verified by the keys that its issuer's discovery document names, and may do what its scopes say", async () => {
    const claims = { iss: issuer, aud: "ledge", sub: "ada", exp: Math.floor(Date.now() / 1000) + 600 };
    expect(await codeOf(await ask(await signer.sign({ ...claims, scope: "ledge:infer:intent" })))).toBe(200);
    expect(await codeOf(await ask(await signer.sign({ ...claims, scope: "ledge:chat" })))).toEqual([
      403,
      "scope_denied",
    ]);
  });

  test("that is opaque is asked about: one that its issuer calls active is accepted, any other refused", async () => {
    active.set("opaque-1", { active: true, sub: "ada", aud: "ledge", scope: "ledge:infer" });
    expect(await codeOf(await ask("opaque-1"))).toBe(200);
    expect(await codeOf(await ask("opaque-2"))).toEqual([401, "invalid_credentials"]);
  });
});

test("a client certificate that Cloudflare verified is a credential; one in a header is not", async () => {
  const sha256 = "0f".repeat(32);
  const registered = await admin(edge, "POST", "/certificates", { tenant: "acme", name: "mTLS", sha256 });
  expect(registered).toMatchObject({ status: 201, body: { id: sha256.slice(0, 24), state: "active" } });
  expect((await admin(edge, "POST", "/certificates", { tenant: "acme", name: "again", sha256 })).status).toBe(409);
  const tlsClientAuth = { certPresented: "1", certVerified: "SUCCESS", certFingerprintSHA256: sha256 };
  const call = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"model":"intent","input":"hello"}',
  };
  const url = "http://edge.example/v1/predict";
  const shown = await edge.miniflare.dispatchFetch(url, { ...call, cf: { tlsClientAuth } } as never);
  expect(shown.status).toBe(200);
  const claimed = {
    ...call.headers,
    "Cf-Cert-Fingerprint-Sha256": sha256,
    "CF-TLS-Client-Auth": JSON.stringify(tlsClientAuth),
  };
  const header = await edge.miniflare.dispatchFetch(url, { ...call, headers: claimed });
  expect([header.status, ((await header.json()) as { code: string }).code]).toEqual([401, "missing_credentials"]);
});

test("a client certificate that was revoked cannot be registered again, and the answer says so", async () => {
  const sha256 = "1f".repeat(32);
  await admin(edge, "POST", "/certificates", { tenant: "acme", name: "lost", sha256 });
  expect((await admin(edge, "DELETE", `/keys/${sha256.slice(0, 24)}`)).status).toBe(200);
  const again = await admin(edge, "POST", "/certificates", { tenant: "acme", name: "found", sha256 });
  expect(again).toMatchObject({ status: 409, body: { code: "directory_conflict" } });
  expect(JSON.stringify(again.body)).toContain("was revoked and stays so");
});

test("no Authorization header, whatever is in it, is an answer or an error of ours", async () => {
  const words = fc.constantFrom(
    "Bearer",
    "bearer",
    "Basic",
    "ledge_",
    "a.b.c",
    "..",
    "=",
    ",",
    "null",
    "\t",
    " ",
    "ledge",
    "eyJhbGciOiJub25lIn0",
  );
  const visible = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
  const value = fc.oneof(
    fc.array(fc.oneof(words, visible), { maxLength: 60 }).map((parts) => parts.join("")),
    fc.string({ minLength: 1, maxLength: 9_000, unit: visible }).map((text) => `Bearer ${text}`),
  );
  await fc.assert(
    fc.asyncProperty(value, async (Authorization) => {
      const answer = await fetch(`${edge.url}/v1/models`, { headers: { Authorization } });
      await answer.arrayBuffer();
      expect(answer.status, Authorization).toBe(401);
    }),
    { numRuns: 200 },
  );
}, 60_000);
