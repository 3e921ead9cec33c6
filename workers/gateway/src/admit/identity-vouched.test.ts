import { createHash } from "node:crypto";
import { type KeyRecord, ok, scopesDefault, type VerifiedToken } from "@ledge/contract";
import { mintKey } from "@ledge/policy";
import { beforeEach, describe, expect, test } from "vitest";
import { Identity } from "./identity.ts";
import { Standings } from "./standings.ts";

/** Who sent a request that comes again without its credential. */

const sha256Hex = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const digests = { sha256Hex, same: (a: string, b: string) => a === b };

let nowMs: number;
let stored: Map<string, KeyRecord>;
let token: VerifiedToken;
let identity: Identity;

beforeEach(() => {
  nowMs = 1_700_000_000_000;
  stored = new Map();
  token = { issuer: "idp", tenant: "acme", user: "ada", scopes: scopesDefault, goodForMs: 60_000 };
  const clock = () => nowMs;
  const published = { tenant: async () => undefined, terms: async () => undefined };
  identity = new Identity({
    door: { keys: { get: async (id) => stored.get(id) }, digests, keyedHash: sha256Hex },
    standings: new Standings({ published, keyLimits: {}, nowMs: clock }),
    tokens: { verify: async () => ok(token) },
    digests,
    nowMs: clock,
  });
});

const request = (headers: Readonly<Record<string, string>> = {}) => new Request("https://edge.example", { headers });
const bearing = (credential: string) => request({ Authorization: `Bearer ${credential}` });

function issue(more: Partial<KeyRecord> = {}): { readonly key: string; readonly id: string } {
  const fields = { tenant: "acme", name: "n", scopes: [...scopesDefault], createdAtMs: nowMs, ...more };
  const minted = mintKey(new Uint8Array(32).fill(7), fields, sha256Hex);
  stored.set(minted.stored.id, minted.stored);
  return { key: minted.key, id: minted.stored.id };
}

/** The same caller's request again. */
function again(sent: Request, headers: Readonly<Record<string, string>> = {}) {
  const kept = identity.keptOf(sent);
  if (kept === undefined) throw new Error("nothing is kept of the caller");
  const second = request(headers);
  identity.vouch(second, kept);
  return identity.of(second);
}

describe("of an API key", () => {
  test("the hash is kept, and whoever it is vouched for is the same caller", async () => {
    const { key } = issue();
    expect(JSON.stringify(identity.keptOf(bearing(key)))).toBe(JSON.stringify({ hash: sha256Hex(key) }));
    const [first, second] = [await identity.of(bearing(key)), await again(bearing(key))];
    expect(second).toEqual(first);
  });

  test("that was revoked or has expired since nothing is opened", async () => {
    const { key, id } = issue({ expiresAtMs: nowMs + 60_000 });
    nowMs += 60_000;
    expect(await again(bearing(key))).toMatchObject({ ok: false, fault: { code: "expired_credentials" } });
    stored.delete(id);
    expect(await again(bearing(key))).toMatchObject({ ok: false, fault: { code: "invalid_credentials" } });
  });

  test("that is bound to addresses, it is used from where its caller was", async () => {
    const { key } = issue({ ips: ["192.0.2.0/24"] });
    expect((await again(bearing(key), { "CF-Connecting-IP": "192.0.2.9" })).ok).toBe(true);
    expect(await again(bearing(key))).toMatchObject({ ok: false, fault: { code: "address_denied" } });
  });
});

describe("of a token", () => {
  test("what its issuer vouched for is kept until it expires, and never the token", async () => {
    token = { ...token, expiresAtMs: nowMs + 600_000 };
    const first = await identity.of(bearing("a.b.c"));
    expect(JSON.stringify(identity.keptOf(bearing("a.b.c")))).not.toContain("a.b.c");
    nowMs += 599_999;
    expect(await again(bearing("a.b.c"))).toEqual(first);
    nowMs += 1;
    expect(await again(bearing("a.b.c"))).toMatchObject({ ok: false, fault: { code: "expired_credentials" } });
  });

  test("that its issuer may take back at any time nothing is kept", async () => {
    expect((await identity.of(bearing("opaque"))).ok).toBe(true);
    expect(identity.keptOf(bearing("opaque"))).toBeUndefined();
  });
});

test("a request that nobody vouched for is nobody's, whatever its headers say", async () => {
  const { key } = issue();
  const claimed = { "Ledge-Job": "job_1", "Ledge-Caller": JSON.stringify({ hash: sha256Hex(key) }) };
  expect(await identity.of(request(claimed))).toMatchObject({ ok: false, fault: { code: "missing_credentials" } });
});

test("what was vouched for is not kept again: a job does not become a job", () => {
  const sent = request();
  identity.vouch(sent, { hash: "h" });
  expect(identity.keptOf(sent)).toBeUndefined();
});
