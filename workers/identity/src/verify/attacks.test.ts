import { createHmac, createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Issuer } from "@ledge/contract";
import { type CryptoKey, exportSPKI, importJWK } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { Signer } from "../../../../test/support/signer.ts";
import { BoundedFetch } from "../fetch/bounded-fetch.ts";
import { TokenVerifier } from "./token-verifier.ts";

/** Known attacks on JOSE (RFC 8725, RFC 7515 §10, and public advisories), each against a verifier with real keys. */

const issuer: Issuer = {
  name: "idp",
  issuer: "https://idp.example",
  audiences: ["ledge"],
  jwks_url: "https://idp.example/jwks",
  tenant: "acme",
};
let ec: Signer;
let rsa: Signer;
let fetched: string[];

const b64 = (value: string | Uint8Array) => Buffer.from(value).toString("base64url");
const part = (value: unknown) => b64(JSON.stringify(value));
const nowS = () => Math.floor(Date.now() / 1000);
const claims = (change: Record<string, unknown> = {}) => ({
  iss: issuer.issuer,
  aud: "ledge",
  sub: "ada",
  exp: nowS() + 600,
  ...change,
});
const header = (change: Record<string, unknown> = {}) => ({ alg: "ES256", kid: "ec", ...change });
const signed = (head: unknown, body: unknown, sign: (input: string) => string | Uint8Array) => {
  const input = `${typeof head === "string" ? head : part(head)}.${typeof body === "string" ? body : part(body)}`;
  const signature = sign(input);
  return `${input}.${typeof signature === "string" ? signature : b64(signature)}`;
};
const hmac = (secret: string | Uint8Array) => (input: string) => createHmac("sha256", secret).update(input).digest();
const es256 = (key: KeyObject) => (input: string) =>
  createSign("SHA256").update(input).sign({ key, dsaEncoding: "ieee-p1363" });

beforeAll(async () => {
  ec = await Signer.of("ES256", "ec");
  rsa = await Signer.of("RS256", "rsa");
});

function verify(token: string, change: Partial<Issuer> = {}) {
  fetched = [];
  const keys = {
    keys: [ec.jwk, rsa.jwk, { kty: "oct", k: b64("a secret that slipped into the key set"), kid: "oct" }],
  };
  const fetchIt = async (url: string) => {
    fetched.push(url);
    return new Response(JSON.stringify(keys));
  };
  const verifier = new TokenVerifier({
    issuers: [{ ...issuer, ...change }],
    secrets: {},
    http: new BoundedFetch(fetchIt, () => true),
    sha256: async (text) => new TextEncoder().encode(text),
    nowMs: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  return verifier.verify(token);
}

test("the same token without an attack is accepted", async () => {
  expect(await verify(await ec.sign(claims()))).toMatchObject({ ok: true });
  expect(await verify(await rsa.sign(claims()))).toMatchObject({ ok: true });
});

const mine = generateKeyPairSync("ec", { namedCurve: "P-256" });
const mineJwk = () => mine.publicKey.export({ format: "jwk" });
const publicPem = async (signer: Signer) =>
  await exportSPKI((await importJWK(signer.jwk, signer.jwk.alg ?? "")) as CryptoKey);

type Attack = () => string | Promise<string>;

const attacks: readonly (readonly [what: string, attack: Attack])[] = [
  // Algorithms.
  ...["none", "None", "NONE", "nOnE"].flatMap((alg): readonly [string, Attack][] => [
    [`alg ${alg} without a signature`, () => signed({ alg, kid: "ec" }, claims(), () => "")],
    [`alg ${alg} with a signature`, () => signed({ alg, kid: "ec" }, claims(), es256(mine.privateKey))],
  ]),
  ["no alg at all", () => signed({ kid: "ec" }, claims(), es256(mine.privateKey))],
  [
    "HS256 with the RSA public key as PEM",
    async () => signed(header({ alg: "HS256", kid: "rsa" }), claims(), hmac(await publicPem(rsa))),
  ],
  ["HS256 with the RSA modulus", () => signed(header({ alg: "HS256", kid: "rsa" }), claims(), hmac(rsa.jwk.n ?? ""))],
  [
    "HS256 with the EC public key as PEM",
    async () => signed(header({ alg: "HS256" }), claims(), hmac(await publicPem(ec))),
  ],
  ["HS256 with the JWK as JSON", () => signed(header({ alg: "HS256" }), claims(), hmac(JSON.stringify(ec.jwk)))],
  ["HS256 with an empty secret", () => signed(header({ alg: "HS256" }), claims(), hmac(""))],
  [
    "HS256 with a symmetric key that the provider published",
    () => signed(header({ alg: "HS256", kid: "oct" }), claims(), hmac("a secret that slipped into the key set")),
  ],
  ["an RSA key's kid with an EC signature", () => ec.sign(claims(), { kid: "rsa" })],
  ["an EC key's kid with an RSA signature", () => rsa.sign(claims(), { kid: "ec" })],
  ["an algorithm that the issuer does not use", async () => (await Signer.of("ES384", "ec")).sign(claims())],
  // Keys.
  ["an unknown kid", () => ec.sign(claims(), { kid: "other" })],
  ["a kid that is a path", () => ec.sign(claims(), { kid: "../../dev/null" })],
  ["a kid that is SQL", () => ec.sign(claims(), { kid: "ec' OR '1'='1" })],
  ["a kid that is a URL", () => ec.sign(claims(), { kid: "https://evil.example/jwks" })],
  ["a kid that is no text", () => signed(header({ kid: ["ec"] }), claims(), es256(mine.privateKey))],
  ["a key of its own in jwk", () => signed(header({ jwk: mineJwk() }), claims(), es256(mine.privateKey))],
  [
    "a key of its own in jwk, without a kid",
    () => signed({ alg: "ES256", jwk: mineJwk() }, claims(), es256(mine.privateKey)),
  ],
  ["a jwk beside a good signature", () => ec.sign(claims(), { jwk: ec.jwk })],
  ["a jku beside a good signature", () => ec.sign(claims(), { jku: "https://evil.example/jwks" })],
  ["an x5u beside a good signature", () => ec.sign(claims(), { x5u: "https://evil.example/cert" })],
  ["an x5c beside a good signature", () => ec.sign(claims(), { x5c: ["MIIB"] })],
  ["another's key under our kid", () => signed(header(), claims(), es256(mine.privateKey))],
  // Signatures.
  ["a signature of zeros (CVE-2022-21449)", () => signed(header(), claims(), () => new Uint8Array(64))],
  ["an empty signature", () => signed(header(), claims(), () => "")],
  [
    "a signature in DER",
    () => signed(header(), claims(), (input) => createSign("SHA256").update(input).sign(mine.privateKey)),
  ],
  ["a cut signature", async () => (await ec.sign(claims())).slice(0, -4)],
  [
    "a signature of other claims",
    async () => {
      const [head, , signature] = (await ec.sign(claims())).split(".");
      return `${head}.${part(claims({ sub: "root" }))}.${signature}`;
    },
  ],
  [
    "a header of another token",
    async () => {
      const [, body, signature] = (await ec.sign(claims())).split(".");
      return `${part(header({ typ: "JWT" }))}.${body}.${signature}`;
    },
  ],
  // Headers.
  ["a critical header that nobody knows", () => ec.sign(claims(), { crit: ["urn:x"], "urn:x": 1 })],
  ["a critical header that is not there", () => signed(header({ crit: ["exp"] }), claims(), es256(mine.privateKey))],
  ["an empty crit", () => signed(header({ crit: [] }), claims(), es256(mine.privateKey))],
  [
    "a payload that is not encoded (b64 false)",
    () => signed(header({ b64: false, crit: ["b64"] }), claims(), es256(mine.privateKey)),
  ],
  ["compression", () => signed(header({ zip: "DEF" }), claims(), es256(mine.privateKey))],
  // Claims.
  ["no expiry", () => ec.sign(claims({ exp: undefined }))],
  ["an expiry that is a text", () => ec.sign(claims({ exp: "9999999999" }))],
  [
    "an expiry beyond all numbers",
    () =>
      signed(
        header(),
        `${b64(`{"iss":"${issuer.issuer}","aud":"ledge","sub":"ada","exp":1e999}`)}`,
        es256(mine.privateKey),
      ),
  ],
  ["a time before which it is not valid", () => ec.sign(claims({ nbf: nowS() + 60 }))],
  ["another issuer", () => ec.sign(claims({ iss: "https://evil.example" }))],
  ["the issuer with a slash more", () => ec.sign(claims({ iss: `${issuer.issuer}/` }))],
  ["the issuer as the beginning of another", () => ec.sign(claims({ iss: `${issuer.issuer}.evil.example` }))],
  ["the issuer in a list", () => ec.sign(claims({ iss: [issuer.issuer] }))],
  ["no issuer", () => ec.sign(claims({ iss: undefined }))],
  ["another audience", () => ec.sign(claims({ aud: "ledge2" }))],
  ["an audience that contains ours", () => ec.sign(claims({ aud: "ledge other" }))],
  ["no audience", () => ec.sign(claims({ aud: undefined }))],
  ["an audience that is no text", () => ec.sign(claims({ aud: [["ledge"]] }))],
  ["no subject", () => ec.sign(claims({ sub: undefined }))],
  ["a subject that is no text", () => ec.sign(claims({ sub: { $ne: null } }))],
  ["a subject with a line's end", () => ec.sign(claims({ sub: "ada\nroot" }))],
  // Forms.
  ["five parts, as an encrypted token has", async () => `${await ec.sign(claims())}.AAAA.AAAA`],
  ["two parts", async () => (await ec.sign(claims())).split(".").slice(0, 2).join(".")],
  ["a space before it", async () => ` ${await ec.sign(claims())}`],
  ["padding", async () => `${await ec.sign(claims())}==`],
  ["a header that is a list", () => signed([header()], claims(), es256(mine.privateKey))],
  ["a header that is no JSON", () => signed(b64("{alg:ES256}"), claims(), es256(mine.privateKey))],
  ["claims that are no JSON", () => signed(header(), b64("ada"), es256(mine.privateKey))],
  ["claims that are null", () => signed(header(), b64("null"), es256(mine.privateKey))],
  [
    "a JSON serialisation",
    async () => {
      const [head, payload, signature] = (await ec.sign(claims())).split(".");
      return JSON.stringify({ protected: head, payload, signature });
    },
  ],
  ["nine thousand characters", () => ec.sign(claims({ fill: "x".repeat(9_000) }))],
];

describe("a token with", () => {
  test.each(attacks)("%s is refused", async (_what, attack) => {
    expect(await verify(await attack())).toMatchObject({ ok: false, fault: { code: "invalid_credentials" } });
  });

  test.each(attacks)("%s makes nobody fetch anything but the issuer's keys", async (_what, attack) => {
    await verify(await attack());
    expect(fetched.every((url) => url === issuer.jwks_url)).toBe(true);
    expect(fetched.length).toBeLessThanOrEqual(1);
  });
});

test("a tenant that is called like a member of every object, or is no name, is none", async () => {
  const { tenant: _tenant, ...claimed } = issuer;
  for (const tenant of ["../acme", "a b", "", "x".repeat(65), 7, ["acme"], null]) {
    const verifier = new TokenVerifier({
      issuers: [claimed],
      secrets: {},
      http: new BoundedFetch(
        async () => new Response(JSON.stringify({ keys: [ec.jwk] })),
        () => true,
      ),
      sha256: async (text) => new TextEncoder().encode(text),
      nowMs: () => Date.now(),
      sleep: async () => undefined,
    });
    expect(await verifier.verify(await ec.sign(claims({ tenant }))), String(tenant)).toMatchObject({ ok: false });
  }
});
