import type { Issuer } from "@ledge/contract";
import { beforeEach, describe, expect, test } from "vitest";
import { Signer } from "../../../../test/support/signer.ts";
import { mayFetch } from "../env.ts";
import { BoundedFetch } from "../fetch/bounded-fetch.ts";
import { TokenVerifier } from "./token-verifier.ts";

const nowMs0 = Date.parse("2026-11-25T12:00:00Z");
let nowMs: number;
let asked: string[];
let pages: Map<string, (init: RequestInit) => Response | Promise<Response>>;

const json = (value: unknown) => new Response(JSON.stringify(value));

function verifierOf(...issuers: readonly Issuer[]): TokenVerifier {
  const fetchIt = async (url: string, init: RequestInit) => {
    asked.push(url);
    const page = pages.get(url);
    if (page === undefined) throw new TypeError("network connection lost");
    return await page(init);
  };
  return new TokenVerifier({
    issuers,
    secrets: Object.fromEntries(issuers.map(({ name }) => [name, `secret of ${name} & co`])),
    http: new BoundedFetch(fetchIt, mayFetch),
    sha256: async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))),
    nowMs: () => nowMs,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  });
}

const acme: Issuer = { name: "acme", issuer: "https://login.acme.example", audiences: ["ledge"], tenant: "acme" };
const umbrella: Issuer = {
  name: "umbrella",
  issuer: "https://sso.umbrella.example/",
  audiences: ["ledge", "ledge-eu"],
  algorithms: ["ES384"],
  jwks_url: "https://sso.umbrella.example/keys",
  claims: { tenant: "https://umbrella.example/org", user: "who.id", scopes: "scope", tier: "plan" },
  tenants: ["umbrella", "umbrella-lab"],
  clock_skew_s: 30,
};

let acmeSigner: Signer;
let umbrellaSigner: Signer;

beforeEach(async () => {
  nowMs = nowMs0;
  asked = [];
  acmeSigner = await Signer.of("ES256", "1");
  umbrellaSigner = await Signer.of("ES384", "1");
  pages = new Map([
    [
      "https://login.acme.example/.well-known/openid-configuration",
      () => json({ issuer: acme.issuer, jwks_uri: "https://keys.acme.example/jwks" }),
    ],
    ["https://keys.acme.example/jwks", () => json({ keys: [acmeSigner.jwk] })],
    ["https://sso.umbrella.example/keys", () => json({ keys: [umbrellaSigner.jwk] })],
  ]);
});

const seconds = (after: number) => Math.floor(nowMs / 1000) + after;
const claims = () => ({ iss: acme.issuer, aud: "ledge", sub: "ada", exp: seconds(600) });
const umbrellaClaims = () => ({
  iss: umbrella.issuer,
  aud: ["other", "ledge-eu"],
  who: { id: "u-7" },
  "https://umbrella.example/org": "umbrella-lab",
  scope: "openid ledge:infer:intent ledge:chat",
  plan: "pro",
  exp: seconds(600),
});

describe("several issuers", () => {
  test("each have their own keys, audiences, algorithms and claims", async () => {
    const verifier = verifierOf(acme, umbrella);
    expect(await verifier.verify(await acmeSigner.sign(claims()))).toMatchObject({
      ok: true,
      value: { issuer: "acme", tenant: "acme", user: "ada", goodForMs: 60_000 },
    });
    expect(await verifier.verify(await umbrellaSigner.sign(umbrellaClaims()))).toEqual({
      ok: true,
      value: {
        issuer: "umbrella",
        tenant: "umbrella-lab",
        user: "u-7",
        tier: "pro",
        goodForMs: 60_000,
        // The clocks' tolerance included.
        expiresAtMs: nowMs0 - (nowMs0 % 1_000) + 630_000,
        scopes: [
          { actions: ["infer"], models: ["intent"] },
          { actions: ["chat"], models: ["*"] },
        ],
      },
    });
  });

  test("cannot speak for each other, even with equal kids, and none for a tenant that is not its own", async () => {
    const verifier = verifierOf(acme, umbrella);
    const refused = { ok: false, fault: { code: "invalid_credentials" } };
    expect(await verifier.verify(await umbrellaSigner.sign(claims()))).toMatchObject(refused);
    expect(await verifier.verify(await acmeSigner.sign(umbrellaClaims()))).toMatchObject(refused);
    const foreign = { ...umbrellaClaims(), "https://umbrella.example/org": "acme" };
    expect(await verifier.verify(await umbrellaSigner.sign(foreign))).toMatchObject(refused);
  });

  test("may keep different clocks", async () => {
    const verifier = verifierOf(acme, umbrella);
    const late = await umbrellaSigner.sign({ ...umbrellaClaims(), exp: seconds(-20) });
    expect(await verifier.verify(late)).toMatchObject({ ok: true, value: { goodForMs: 10_000 } });
    const expired = await acmeSigner.sign({ ...claims(), exp: seconds(-20) });
    expect(await verifier.verify(expired)).toMatchObject({ ok: false, fault: { code: "expired_credentials" } });
  });

  test("give no scope by a claim that names none of ours", async () => {
    const token = await umbrellaSigner.sign({ ...umbrellaClaims(), scope: "openid profile" });
    expect(await verifierOf(umbrella).verify(token)).toMatchObject({ ok: true, value: { scopes: [] } });
  });
});

describe("an issuer's keys", () => {
  test("are found by its discovery document, read once", async () => {
    const verifier = verifierOf(acme);
    for (let call = 0; call < 5; call++) expect((await verifier.verify(await acmeSigner.sign(claims()))).ok).toBe(true);
    expect(asked).toEqual([
      "https://login.acme.example/.well-known/openid-configuration",
      "https://keys.acme.example/jwks",
    ]);
  });

  test("are fetched once for a hundred tokens at once", async () => {
    const verifier = verifierOf(acme);
    const tokens = await Promise.all(Array.from({ length: 100 }, () => acmeSigner.sign(claims())));
    const verified = await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(verified.filter(({ ok }) => ok)).toHaveLength(100);
    expect(asked).toHaveLength(2);
  });

  test("that rotate are followed", async () => {
    const verifier = verifierOf(acme);
    expect((await verifier.verify(await acmeSigner.sign(claims()))).ok).toBe(true);
    acmeSigner = await Signer.of("ES256", "2");
    nowMs += 60_000;
    expect((await verifier.verify(await acmeSigner.sign(claims()))).ok).toBe(true);
  });

  test("go on verifying while the provider is down; without any, tokens get 503 and no pass", async () => {
    const known = verifierOf(acme);
    expect((await known.verify(await acmeSigner.sign(claims()))).ok).toBe(true);
    pages.clear();
    nowMs += 30 * 60_000;
    expect((await known.verify(await acmeSigner.sign(claims()))).ok).toBe(true);
    expect(await verifierOf(acme).verify(await acmeSigner.sign(claims()))).toMatchObject({
      ok: false,
      fault: { code: "identity_unavailable" },
    });
  });

  test.each([
    ["of another issuer", () => json({ issuer: "https://evil.example", jwks_uri: "https://keys.acme.example/jwks" })],
    ["that names no keys", () => json({ issuer: acme.issuer })],
    ["that sends to a private address", () => json({ issuer: acme.issuer, jwks_uri: "https://169.254.169.254/jwks" })],
    ["that sends to plain http", () => json({ issuer: acme.issuer, jwks_uri: "http://keys.acme.example/jwks" })],
    ["that redirects", () => Response.redirect("https://keys.acme.example/jwks")],
    ["that is no JSON", () => new Response("<html>")],
    [
      "without an end",
      () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(65_536)) })),
    ],
  ])("are not taken from a discovery document %s", async (_what, page) => {
    pages.set("https://login.acme.example/.well-known/openid-configuration", page);
    expect(await verifierOf(acme).verify(await acmeSigner.sign(claims()))).toMatchObject({
      ok: false,
      fault: { code: "identity_unavailable" },
    });
    expect(asked).toEqual(["https://login.acme.example/.well-known/openid-configuration"]);
  });
});

describe("a token that is not a JWT", () => {
  const introspection = { url: "https://sso.opaque.example/introspect", client_id: "ledge: edge" };
  const opaque: Issuer = {
    name: "opaque",
    issuer: "https://sso.opaque.example",
    audiences: ["ledge"],
    tenant: "acme",
    introspection,
  };
  let answer: Record<string, unknown>;
  let heard: { authorization: string | null; body: string }[];

  beforeEach(() => {
    answer = { active: true, sub: "ada", aud: "ledge", exp: seconds(600) };
    heard = [];
    pages.set(introspection.url, async (init) => {
      heard.push({ authorization: new Headers(init.headers).get("Authorization"), body: String(init.body) });
      return json(answer);
    });
  });

  test("is asked about (RFC 7662), by a client that says who it is, and believed for ten seconds at most", async () => {
    const verified = await verifierOf(opaque).verify("abc&def=1");
    expect(verified).toMatchObject({
      ok: true,
      value: { issuer: "opaque", tenant: "acme", user: "ada", goodForMs: 10_000 },
    });
    // It may be taken back before that.
    expect(verified).not.toHaveProperty("value.expiresAtMs");
    const basic = Buffer.from("ledge%3A+edge:secret+of+opaque+%26+co").toString("base64");
    expect(heard).toEqual([
      { authorization: `Basic ${basic}`, body: "token=abc%26def%3D1&token_type_hint=access_token" },
    ]);
    answer = { ...answer, exp: seconds(3) };
    expect(await verifierOf(opaque).verify("brief")).toMatchObject({ ok: true, value: { goodForMs: 8_000 } });
  });

  test.each<[string, Record<string, unknown>]>([
    ["is not active", { active: false }],
    ["is active by a text", { active: "true" }],
    ["is of another issuer", { iss: "https://evil.example" }],
    ["is for another audience", { aud: ["other"] }],
    ["names no audience", { aud: undefined }],
    ["is not valid yet", { nbf: nowMs0 / 1000 + 60 }],
    ["is a refresh token", { token_type: "refresh_token" }],
    ["has an expiry that is no number", { exp: "tomorrow" }],
    ["names nobody", { sub: undefined }],
  ])("that %s is refused", async (_what, change) => {
    answer = { ...answer, ...change };
    expect(await verifierOf(opaque).verify("abc")).toMatchObject({ ok: false, fault: { code: "invalid_credentials" } });
  });

  test("that was refused is not asked about again for ten seconds", async () => {
    answer = { active: false };
    const verifier = verifierOf(opaque);
    for (let call = 0; call < 5; call++) expect((await verifier.verify("abc")).ok).toBe(false);
    expect(heard).toHaveLength(1);
    nowMs += 10_000;
    await verifier.verify("abc");
    expect(heard).toHaveLength(2);
  });

  test("gets 503 while its issuer cannot be asked, and the next try asks again", async () => {
    const verifier = verifierOf(opaque);
    const page = pages.get(introspection.url);
    pages.delete(introspection.url);
    expect(await verifier.verify("abc")).toMatchObject({ ok: false, fault: { code: "identity_unavailable" } });
    if (page !== undefined) pages.set(introspection.url, page);
    expect((await verifier.verify("abc")).ok).toBe(true);
  });

  test("is nobody's where no issuer introspects", async () => {
    expect(await verifierOf(acme).verify("abc")).toMatchObject({ ok: false, fault: { code: "invalid_credentials" } });
    expect(asked).toEqual([]);
  });
});
