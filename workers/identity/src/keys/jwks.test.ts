import { type CryptoKey, errors, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify, SignJWT } from "jose";
import { beforeEach, describe, expect, test } from "vitest";
import { Jwks, KeysUnavailable } from "./jwks.ts";

const minute = 60_000;
let nowMs: number;
let published: JSONWebKeySet;
let fetched: number;
let down: boolean;
let jwks: Jwks;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  published = { keys: [] };
  fetched = 0;
  down = false;
  const fetchJwks = async () => {
    fetched++;
    if (down) throw new Error("down");
    return published;
  };
  jwks = new Jwks({
    fetchJwks,
    nowMs: () => nowMs,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  });
});

async function publish(kid: string): Promise<CryptoKey> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  published = { keys: [...published.keys, { ...(await exportJWK(publicKey)), kid, alg: "ES256" }] };
  return privateKey;
}

async function verifies(signer: CryptoKey, kid: string): Promise<boolean> {
  const token = await new SignJWT({}).setProtectedHeader({ alg: "ES256", kid }).sign(signer);
  try {
    await jwtVerify(token, (header, input) => jwks.keyFor(header, input));
    return true;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return false;
    throw error;
  }
}

describe("the key set of an identity provider", () => {
  test("is fetched once for a hundred tokens that come before the first fetch is back", async () => {
    const signer = await publish("one");
    const verified = await Promise.all(Array.from({ length: 100 }, () => verifies(signer, "one")));
    expect(verified).toEqual(Array.from({ length: 100 }, () => true));
    expect(fetched).toBe(1);
  });

  test("is fetched again for an unknown kid, so that a rotation is followed within a minute", async () => {
    const first = await publish("one");
    expect(await verifies(first, "one")).toBe(true);
    const second = await publish("two");
    expect(await verifies(second, "two")).toBe(false);
    nowMs += minute;
    expect(await verifies(second, "two")).toBe(true);
    expect(fetched).toBe(2);
  });

  test("is fetched once a minute at most, whatever kids are sent", async () => {
    const signer = await publish("one");
    expect(await verifies(signer, "one")).toBe(true);
    for (let i = 0; i < 180; i++) {
      nowMs += 1_000;
      await verifies(signer, `unknown-${i}`);
    }
    expect(fetched).toBe(1 + 3);
  });

  test("drops a key that the provider withdrew, ten minutes after it was fetched at the latest", async () => {
    const withdrawn = await publish("one");
    expect(await verifies(withdrawn, "one")).toBe(true);
    published = { keys: [] };
    await publish("two");
    nowMs += 10 * minute;
    expect(await verifies(withdrawn, "one")).toBe(false);
  });

  test("goes on verifying known keys while the provider is down, and says unavailable when none are known", async () => {
    down = true;
    await expect(verifies(await publish("one"), "one")).rejects.toThrow(KeysUnavailable);
    down = false;
    nowMs += 5_000;
    const signer = await publish("two");
    expect(await verifies(signer, "two")).toBe(true);
    down = true;
    nowMs += 60 * minute;
    expect(await verifies(signer, "two")).toBe(true);
  });
});
