import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bodyOf } from "../support/answer-body.ts";
import { IdentityProvider } from "../support/identity-provider.ts";
import { answerTo as answerAt, startEdge, type TestEdge } from "../support/ledge.ts";

const issuer = "https://issuer.example";
const audience = "ledge";

const provider = new IdentityProvider();
const signers: Record<string, CryptoKey> = {};
let jwksUrl: string;
let edge: TestEdge;

beforeAll(async () => {
  jwksUrl = await provider.listen();
  for (const alg of ["RS256", "ES256", "EdDSA"] as const) signers[alg] = await provider.addKey(alg, alg);
  edge = await startWithProvider();
});
afterAll(async () => {
  await edge.close();
  provider.server.close();
});

function startWithProvider(): Promise<TestEdge> {
  const issuers = [{ name: "idp", issuer, audiences: [audience], jwks_url: jwksUrl }];
  return startEdge({ identity: { ISSUERS: JSON.stringify(issuers), PRIVATE_ISSUERS: "allow" } });
}

type Claims = Record<string, unknown>;

function token(alg: string, claims: Claims = {}, header: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: issuer, aud: audience, sub: "ada", tenant: "acme", iat: now, exp: now + 600, ...claims };
  const signer = signers[alg];
  if (signer === undefined) throw new Error(`no key for ${alg}`);
  return new SignJWT(all).setProtectedHeader({ alg, kid: alg, ...header }).sign(signer);
}

const answerTo = (credential: string, at = edge) => answerAt(at, credential);
const invalid = { status: 401, code: "invalid_credentials" };

describe("a JWT", () => {
  test.each(["RS256", "ES256", "EdDSA"])("signed with %s is accepted", async (alg) => {
    expect(await answerTo(await token(alg))).toEqual({ status: 200 });
  });

  test("gets its own rate limit headers", async () => {
    const answer = await edge.get("/v1/models", await token("ES256", { sub: "limits" }));
    expect(answer.headers.get("RateLimit-Policy")).toBe('"requests";q=600;w=60');
  });

  test.each<[string, Claims]>([
    ["another issuer", { iss: "https://evil.example" }],
    ["another audience", { aud: "someone-else" }],
    ["no audience", { aud: undefined }],
    ["a time before which it is not valid", { nbf: Math.floor(Date.now() / 1000) + 120 }],
    ["no expiry", { exp: undefined }],
    ["no subject", { sub: undefined }],
    ["no tenant", { tenant: undefined }],
    ["a tenant that is no text", { tenant: 7 }],
  ])("with %s is refused", async (_what, claims) => {
    expect(await answerTo(await token("ES256", claims))).toEqual(invalid);
  });

  test("that has expired is refused, and told so", async () => {
    const expired = await token("ES256", { exp: Math.floor(Date.now() / 1000) - 60 });
    expect(await answerTo(expired)).toEqual({ status: 401, code: "expired_credentials" });
  });

  test("that was accepted is refused once it expires, remembered or not", async () => {
    // Five seconds of clock tolerance are part of the rule, so a token that ended four seconds ago still passes once.
    const brief = await token("ES256", { exp: Math.floor(Date.now() / 1000) - 3 });
    expect(await answerTo(brief)).toEqual({ status: 200 });
    const endMs = Date.now() + 5_000;
    let last = await answerTo(brief);
    while (last.status === 200 && Date.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      last = await answerTo(brief);
    }
    expect(last).toEqual({ status: 401, code: "expired_credentials" });
  }, 10_000);

  test("with alg none is refused, however it is spelled", async () => {
    const claims = { sub: "ada", tenant: "acme", exp: Math.floor(Date.now() / 1000) + 600 };
    const unsecured = new UnsecuredJWT(claims).setIssuer(issuer).setAudience(audience).encode();
    expect(await answerTo(unsecured)).toEqual(invalid);
    const payload = unsecured.split(".")[1];
    for (const alg of ["None", "NONE", "nOnE"]) {
      const header = Buffer.from(JSON.stringify({ alg, kid: "ES256" })).toString("base64url");
      expect(await answerTo(`${header}.${payload}.`)).toEqual(invalid);
      expect(await answerTo(`${header}.${payload}.AAAA`)).toEqual(invalid);
    }
  });

  test("signed with our public key as a shared secret is refused (key confusion)", async () => {
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    const secrets = [await exportSPKI(publicKey), JSON.stringify(provider.keys[0]), provider.keys[0]?.n ?? ""];
    for (const secret of secrets) {
      const forged = await new SignJWT({ sub: "ada", tenant: "acme" })
        .setProtectedHeader({ alg: "HS256", kid: "RS256" })
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime("10m")
        .sign(new TextEncoder().encode(secret));
      expect(await answerTo(forged)).toEqual(invalid);
    }
  });

  test("that names another key's algorithm, brings its own key or an unknown crit is refused", async () => {
    const mine = await generateKeyPair("ES256", { extractable: true });
    const sign = (header: Record<string, unknown>) =>
      new SignJWT({ sub: "ada", tenant: "acme" })
        .setProtectedHeader({ alg: "ES256", ...header })
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime("10m")
        .sign(mine.privateKey, { crit: { "urn:x": true } });
    expect(await answerTo(await sign({ kid: "RS256" }))).toEqual(invalid);
    expect(await answerTo(await sign({ kid: "ES256", jwk: await exportJWK(mine.publicKey) }))).toEqual(invalid);
    expect(await answerTo(await sign({ kid: "ES256", crit: ["urn:x"], "urn:x": 1 }))).toEqual(invalid);
  });

  test("whose payload was changed after signing is refused", async () => {
    const [header, payload, signature] = (await token("ES256")).split(".");
    const claims = JSON.parse(Buffer.from(payload ?? "", "base64url").toString());
    const changed = Buffer.from(JSON.stringify({ ...claims, tenant: "other" })).toString("base64url");
    expect(await answerTo(`${header}.${changed}.${signature}`)).toEqual(invalid);
  });
});

describe("the key set", () => {
  let rotating: TestEdge;

  beforeEach(async () => {
    provider.down = false;
    rotating = await startWithProvider();
    provider.fetched = 0;
    return () => rotating.close();
  });

  test("is fetched once for many tokens", async () => {
    for (let i = 0; i < 10; i++)
      expect(await answerTo(await token("ES256", { sub: `u${i}` }), rotating)).toEqual({ status: 200 });
    expect(provider.fetched).toBe(1);
  });

  test("is not fetched again for unknown kids within a minute, however many come", async () => {
    expect(await answerTo(await token("ES256"), rotating)).toEqual({ status: 200 });
    for (let i = 0; i < 20; i++) {
      expect(await answerTo(await token("ES256", {}, { kid: `unknown-${i}` }), rotating)).toEqual(invalid);
    }
    expect(provider.fetched).toBe(1);
  });

  test("that cannot be had means 503 and Retry-After for tokens, and nothing for API keys", async () => {
    provider.down = true;
    const answer = await rotating.get("/v1/models", await token("ES256"));
    expect(answer.status).toBe(503);
    expect((await bodyOf(answer)).error.code).toBe("identity_unavailable");
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await answerTo((await rotating.issueKey()).key, rotating)).toEqual({ status: 200 });
  });

  test("that has become unreachable does not stop keys already known", async () => {
    expect(await answerTo(await token("RS256"), rotating)).toEqual({ status: 200 });
    provider.down = true;
    expect(await answerTo(await token("RS256", { sub: "later" }), rotating)).toEqual({ status: 200 });
  });
});
