import { createHash } from "node:crypto";
import { adminScopes, type DirectoryAdmin, ok } from "@ledge/contract";
import { mintAdminKey } from "@ledge/policy";
import { beforeEach, expect, test } from "vitest";
import { admitOperator, admitOperatorOrOrigin, type Gatekeeper } from "./operator.ts";

const sha256Hex = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex");
const keyedHash = (text: string) => sha256Hex(`pepper:${text}`);
const { key, hash } = mintAdminKey(new Uint8Array(32).fill(7), keyedHash);

let known: Map<string, DirectoryAdmin>;
let asked: number;
let down: boolean;
let gatekeeper: Gatekeeper & { originSecret: string };

beforeEach(() => {
  known = new Map([[hash, { name: "ci", hash, scopes: ["models:read"], createdAtMs: 0 }]]);
  asked = 0;
  down = false;
  gatekeeper = {
    digests: { sha256Hex, same: (a, b) => a === b },
    adminKeyHash: sha256Hex("the deployment's own"),
    originSecret: "the origin's",
    keyedHash,
    admins: {
      admins: async () => [...known.values()],
      adminByHash: async (of) => {
        asked++;
        if (down) throw new Error("down");
        return known.get(of);
      },
    },
    nowMs: () => 1_000,
  };
});

const request = (credential?: string) =>
  new Request(
    "https://ledge.example",
    credential === undefined ? {} : { headers: { Authorization: `Bearer ${credential}` } },
  );
const codeOf = async (credential: string | undefined, scope: "models:read" | "keys:write" = "models:read") => {
  const admitted = await admitOperator(request(credential), scope, gatekeeper);
  return admitted.ok ? admitted.value.name : admitted.fault.code;
};

test("the deployment's own key may do everything, also while the directory is out of reach", async () => {
  down = true;
  expect(await admitOperator(request("the deployment's own"), "admins:write", gatekeeper)).toEqual(
    ok({ name: "operator", scopes: adminScopes }),
  );
  expect(asked).toBe(0);
});

test("a named credential may what its scopes say, and is refused while the directory is out of reach", async () => {
  expect(await codeOf(key)).toBe("ci");
  expect(await codeOf(key, "keys:write")).toBe("scope_denied");
  down = true;
  expect(await codeOf(key)).toBe("directory_unavailable");
});

test("one that ended is refused: revoked, expired, or with another hash behind the one that found it", async () => {
  const admin = { name: "ci", hash, scopes: ["models:read" as const], createdAtMs: 0 };
  known.set(hash, { ...admin, revokedAtMs: 1 });
  expect(await codeOf(key)).toBe("invalid_credentials");
  known.set(hash, { ...admin, expiresAtMs: 1_000 });
  expect(await codeOf(key)).toBe("expired_credentials");
  known.set(hash, { ...admin, hash: "other" });
  expect(await codeOf(key)).toBe("invalid_credentials");
});

test("what is no credential of the operator's costs the directory nothing", async () => {
  expect(await codeOf(undefined)).toBe("missing_credentials");
  for (const wrong of ["x", `ledge_${"x".repeat(43)}`, key.slice(0, -1), `${key}x`, "the origin's"]) {
    expect(await codeOf(wrong)).toBe("invalid_credentials");
  }
  expect(asked).toBe(0);
});

test("the origin's secret opens what the origin fetches, and a credential with the scope does too", async () => {
  const admit = (credential: string) => admitOperatorOrOrigin(request(credential), "models:read", gatekeeper);
  expect(await admit("the origin's")).toEqual(ok({ name: "origin", scopes: [] }));
  expect((await admit(key)).ok).toBe(true);
  expect((await admit("x")).ok).toBe(false);
});
