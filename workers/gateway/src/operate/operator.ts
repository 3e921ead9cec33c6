import { type AdminScope, adminScopes, fail, ok, type Result, rootAdmin } from "@ledge/contract";
import { isAdminKey } from "@ledge/policy";
import { bearer } from "../bearer.ts";
import type { Digests } from "../ports.ts";
import type { AdminReader } from "./ports.ts";
import { reach } from "./reach.ts";

export interface Gatekeeper {
  readonly digests: Digests;
  /** SHA-256 of the key that the deployment was made with, hex. */
  readonly adminKeyHash: string;
  /** Of the other ones, under the deployment's pepper. */
  readonly keyedHash: (key: string) => string;
  readonly admins: AdminReader;
  readonly nowMs: () => number;
}

/** Who operates: what the audit calls it, and what it may. */
export interface Admin {
  readonly name: string;
  readonly scopes: readonly AdminScope[];
}

const root: Admin = { name: rootAdmin, scopes: adminScopes };

/**
 * The operator's own credentials: apart from every caller's, and never looked up in KV. The deployment's own may do
 * everything and needs nobody to say so; others are asked for anew each time, so that one that was revoked has ended.
 * Errors: 401; `scope_denied`; `directory_unavailable`.
 */
export async function admitOperator(
  request: Request,
  scope: AdminScope,
  gatekeeper: Gatekeeper,
): Promise<Result<Admin>> {
  const credential = bearer(request.headers);
  if (credential === undefined) return fail("missing_credentials");
  const { digests, adminKeyHash } = gatekeeper;
  if (digests.same(digests.sha256Hex(credential), adminKeyHash)) return ok(root);
  const admin = await adminOf(credential, gatekeeper);
  if (!admin.ok || admin.value.scopes.includes(scope)) return admin;
  return fail("scope_denied", { detail: `This takes the scope '${scope}'.` });
}

/** An operator with a scope, or the origin by its secret: what it serves, it fetches itself. Errors: as {@link admitOperator}'s. */
export async function admitOperatorOrOrigin(
  request: Request,
  scope: AdminScope,
  gatekeeper: Gatekeeper & { readonly originSecret: string },
): Promise<Result<Admin>> {
  const { digests, originSecret } = gatekeeper;
  const hash = digests.sha256Hex(bearer(request.headers) ?? "");
  if (digests.same(hash, digests.sha256Hex(originSecret))) return ok({ name: "origin", scopes: [] });
  return await admitOperator(request, scope, gatekeeper);
}

async function adminOf(credential: string, gatekeeper: Gatekeeper): Promise<Result<Admin>> {
  if (!isAdminKey(credential)) return fail("invalid_credentials");
  const { admins, digests, keyedHash, nowMs } = gatekeeper;
  const hash = keyedHash(credential);
  const found = await reach(() => admins.adminByHash(hash), "directory_unavailable");
  if (!found.ok) return found;
  const admin = found.value;
  if (admin === undefined || !digests.same(admin.hash, hash) || admin.revokedAtMs !== undefined) {
    return fail("invalid_credentials");
  }
  if (admin.expiresAtMs !== undefined && admin.expiresAtMs <= nowMs()) return fail("expired_credentials");
  return ok({ name: admin.name, scopes: admin.scopes });
}
