import { createHash } from "node:crypto";
import { fail, type KeyRecord, scopesDefault, type TenantRecord, type Terms } from "@ledge/contract";
import { mintKey, unregistered } from "@ledge/policy";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { Digests, KeyStore } from "../ports.ts";
import { Identity } from "./identity.ts";
import { Standings } from "./standings.ts";

const digests: Digests = {
  sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
  same: (a, b) => a === b,
};

/** API keys in memory, as KV keeps them; it counts who reads and can be out of reach. */
class MemoryKeys implements KeyStore {
  reads = 0;
  down = false;
  readonly #keys = new Map<string, KeyRecord>();

  async get(id: string) {
    this.reads++;
    if (this.down) throw new Error("KV is down");
    return this.#keys.get(id);
  }
  async put(key: KeyRecord) {
    this.#keys.set(key.id, key);
  }
  async delete(id: string) {
    this.#keys.delete(id);
  }
}

let nowMs: number;
let keys: MemoryKeys;
let tenants: Map<string, TenantRecord>;
let identity: Identity;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  keys = new MemoryKeys();
  tenants = new Map();
  const clock = () => nowMs;
  const published = {
    tenant: async (name: string) => {
      if (keys.down) throw new Error("KV is down");
      return tenants.get(name);
    },
    terms: async (): Promise<Terms | undefined> => undefined,
  };
  const standings = new Standings({ published, keyLimits: { requests_per_minute: 5 }, nowMs: clock });
  const tokens = { verify: async () => fail("invalid_credentials") };
  const door = { keys, digests, keyedHash: digests.sha256Hex };
  identity = new Identity({ door, standings, tokens, digests, nowMs: clock });
});

async function issue(seed: number, more: Partial<KeyRecord> = {}) {
  const fields = { tenant: `tenant-${seed}`, name: "n", scopes: [...scopesDefault], createdAtMs: nowMs, ...more };
  const minted = mintKey(new Uint8Array(32).fill(seed), fields, digests.sha256Hex);
  await keys.put(minted.stored);
  return minted;
}

function ask(credential: string) {
  return identity.of(new Request("https://edge.example", { headers: { Authorization: `Bearer ${credential}` } }));
}

describe("an identity", () => {
  test("is read once and remembered for five seconds", async () => {
    const { key } = await issue(1);
    for (let call = 0; call < 10; call++) expect((await ask(key)).ok).toBe(true);
    expect(keys.reads).toBe(1);
    nowMs += 5_000;
    await ask(key);
    expect(keys.reads).toBe(2);
  });

  test("that was revoked is refused once it is no longer remembered", async () => {
    const { key, stored } = await issue(1);
    await ask(key);
    await keys.delete(stored.id);
    nowMs += 5_000;
    expect(await ask(key)).toMatchObject({ ok: false, fault: { code: "invalid_credentials" } });
  });

  test("is never another's, however alike their credentials are", async () => {
    const { key } = await issue(1);
    await ask(key);
    for (const other of [key.slice(0, -1), `${key.slice(0, -1)}_`, key.toUpperCase(), `${key} `.trimEnd().slice(1)]) {
      if (other !== key) expect((await ask(other)).ok, other).toBe(false);
    }
    const second = await issue(2);
    expect(await ask(second.key)).toMatchObject({ ok: true, value: { tenant: "tenant-2" } });
  });

  test("is refused, not passed, while the store is out of reach; a remembered one goes on", async () => {
    const { key } = await issue(1);
    await ask(key);
    keys.down = true;
    expect((await ask(key)).ok).toBe(true);
    const stranger = await issue(3);
    expect(await ask(stranger.key)).toMatchObject({ ok: false, fault: { code: "identity_unavailable" } });
  });

  test("whose stored hash differs behind an equal id is refused", async () => {
    const { key, stored } = await issue(1);
    await keys.put({ ...stored, hash: `${stored.id}${"0".repeat(40)}` });
    expect((await ask(key)).ok).toBe(false);
  });

  test("that has expired is refused, also while it is remembered", async () => {
    const { key } = await issue(1, { expiresAtMs: nowMs + 1_000 });
    expect((await ask(key)).ok).toBe(true);
    nowMs += 1_000;
    expect(await ask(key)).toMatchObject({ ok: false, fault: { code: "expired_credentials" } });
  });

  test("of a suspended tenant is refused within five seconds", async () => {
    const { key } = await issue(1);
    expect((await ask(key)).ok).toBe(true);
    tenants.set("tenant-1", { ...unregistered("tenant-1"), state: "suspended" });
    nowMs += 5_000;
    expect(await ask(key)).toMatchObject({ ok: false, fault: { code: "tenant_suspended" } });
  });

  test("may be used from the addresses of its list alone, remembered or not", async () => {
    const { key } = await issue(1, { ips: ["10.0.0.0/8", "2001:db8::/32"] });
    const from = (address?: string) =>
      identity.of(
        new Request("https://edge.example", {
          headers: {
            Authorization: `Bearer ${key}`,
            ...(address === undefined ? {} : { "CF-Connecting-IP": address }),
          },
        }),
      );
    expect((await from("10.20.30.40")).ok).toBe(true);
    expect((await from("2001:db8::7")).ok).toBe(true);
    for (const address of ["11.0.0.1", "2001:db9::7", "", "10.0.0.0/8", undefined]) {
      expect(await from(address), address).toMatchObject({ ok: false, fault: { code: "address_denied" } });
    }
  });
});

describe("a client certificate", () => {
  const sha256 = "ab".repeat(32);
  const shown = {
    certPresented: "1",
    certVerified: "SUCCESS",
    certRevoked: "0",
    certFingerprintSHA256: sha256.toUpperCase(),
  };

  function withCertificate(tlsClientAuth: Record<string, string>, headers: Record<string, string> = {}) {
    const request = new Request("https://edge.example", { headers });
    return identity.of(Object.assign(request, { cf: { tlsClientAuth } }));
  }

  beforeEach(async () => {
    const record = { id: sha256.slice(0, 24), hash: sha256, tenant: "acme", name: "ci", scopes: [...scopesDefault] };
    await keys.put({ ...record, createdAtMs: nowMs });
  });

  test("that Cloudflare verified and the operator registered is a credential", async () => {
    expect(await withCertificate(shown)).toMatchObject({
      ok: true,
      value: { tenant: "acme", subject: `key:${sha256.slice(0, 24)}` },
    });
  });

  test.each([
    ["was not verified", { certVerified: "FAILED:self signed certificate" }],
    ["was not shown", { certPresented: "0" }],
    ["was revoked", { certRevoked: "1" }],
    ["has no digest", { certFingerprintSHA256: "" }],
  ])("that %s is none", async (_what, change) => {
    expect(await withCertificate({ ...shown, ...change })).toMatchObject({
      ok: false,
      fault: { code: "missing_credentials" },
    });
  });

  test("that nobody registered is refused, and one does not make good a wrong key", async () => {
    const other = "cd".repeat(32);
    expect(await withCertificate({ ...shown, certFingerprintSHA256: other })).toMatchObject({
      ok: false,
      fault: { code: "invalid_credentials" },
    });
    expect(await withCertificate(shown, { Authorization: "Bearer wrong" })).toMatchObject({ ok: false });
  });
});

test("no Authorization header, whatever is in it, makes a throw or a principal", async () => {
  await issue(1);
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ maxLength: 10_000 }),
    fc.constantFrom("ledge_", "a.b.c", "..", "Bearer"),
  );
  const header = fc
    .tuple(fc.constantFrom("Bearer ", "bearer ", "BEARER  ", "Basic ", "", "Bearer\t", "Bearer Bearer "), text)
    .map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(header, async (value) => {
      const headers = new Headers();
      try {
        headers.set("Authorization", value);
      } catch {
        return; // Not a header at all.
      }
      expect((await identity.of(new Request("https://edge.example", { headers }))).ok).toBe(false);
    }),
    { numRuns: 500 },
  );
});
