import {
  type AdminAnswer,
  type AdminsAnswer,
  type DirectoryAdmin,
  fail,
  type NewAdminAnswer,
  newAdminRequest,
  ok,
  parse,
  type Result,
} from "@ledge/contract";
import { mintAdminKey } from "@ledge/policy";
import { ask, changeDirectory, type DirectoryDesk, timeText } from "./directory.ts";
import type { Admin } from "./operator.ts";
import type { AdminReader, DirectoryWriter } from "./ports.ts";

/** The operator's desk for the operator's own credentials. */
export interface AdminDesk extends DirectoryDesk {
  readonly directory: DirectoryWriter & AdminReader;
  readonly admin: Admin;
  /** Under the deployment's pepper. */
  readonly keyedHash: (key: string) => string;
  readonly random: (bytes: number) => Uint8Array;
  readonly nowMs: () => number;
}

/** Errors: `directory_unavailable`. */
export async function listAdmins({ directory, nowMs }: AdminDesk): Promise<Result<AdminsAnswer>> {
  const admins = await ask(() => directory.admins());
  return admins.ok ? ok({ admins: admins.value.map((admin) => answerOf(admin, nowMs())) }) : admins;
}

/**
 * Nobody makes one that may do more than it may itself. The answer is the only place where the key is ever shown. Errors:
 * `invalid_request`, `scope_denied`, `directory_conflict` for a name that was used, `directory_unavailable`.
 */
export async function createAdmin(body: unknown, desk: AdminDesk): Promise<Result<NewAdminAnswer>> {
  const request = parse(newAdminRequest, body);
  if (!request.ok) return request;
  const { name, expires_at: end } = request.value;
  const scopes = [...new Set(request.value.scopes)];
  const beyond = scopes.filter((scope) => !desk.admin.scopes.includes(scope));
  if (beyond.length > 0) {
    return fail("scope_denied", { detail: `You have no ${beyond.join(", ")} to hand on.` });
  }
  const { key, hash } = mintAdminKey(desk.random(32), desk.keyedHash);
  const createdAtMs = desk.nowMs();
  const expiresAtMs = end === undefined ? {} : { expiresAtMs: Date.parse(end) };
  const admin: DirectoryAdmin = { name, hash, scopes, createdAtMs, ...expiresAtMs };
  const done = await changeDirectory({ kind: "create-admin", admin }, desk);
  return done.ok ? ok({ ...answerOf(admin, createdAtMs), key }) : done;
}

/** Refused from then on. Errors: `admin_not_found`, `directory_unavailable`. */
export async function revokeAdmin(name: string, desk: AdminDesk): Promise<Result<{ readonly revoked: string }>> {
  const done = await changeDirectory({ kind: "revoke-admin", name }, desk);
  return done.ok ? ok({ revoked: name }) : done;
}

function answerOf({ name, scopes, createdAtMs, expiresAtMs, revokedAtMs }: DirectoryAdmin, nowMs: number): AdminAnswer {
  const isOver = expiresAtMs !== undefined && expiresAtMs <= nowMs;
  return {
    name,
    state: revokedAtMs !== undefined ? "revoked" : isOver ? "expired" : "active",
    scopes: [...scopes],
    created_at: timeText(createdAtMs),
    ...(expiresAtMs === undefined ? {} : { expires_at: timeText(expiresAtMs) }),
    ...(revokedAtMs === undefined ? {} : { revoked_at: timeText(revokedAtMs) }),
  };
}
