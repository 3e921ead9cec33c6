import { type DirectoryAdmin, type DirectoryChange, fail, ok, type Result } from "@ledge/contract";
import { type DirectoryStep, type DirectoryView, nothing } from "./directory-view.ts";

type Change = Extract<DirectoryChange, { kind: "create-admin" | "revoke-admin" }>;

/** The operator's named credentials. A name is not used twice: the audit must not mean two by one. */
export function adminStep(view: DirectoryView, change: Change, nowMs: number): Result<DirectoryStep> {
  if (change.kind === "create-admin") return create(view, change.admin, nowMs);
  const before = view.admin(change.name);
  if (before === undefined) return fail("admin_not_found");
  if (before.revokedAtMs !== undefined) return ok(nothing);
  return ok(written(before, { ...before, revokedAtMs: nowMs }, change.kind));
}

function create(view: DirectoryView, admin: DirectoryAdmin, nowMs: number): Result<DirectoryStep> {
  if (view.admin(admin.name) !== undefined) {
    const detail = `'${admin.name}' is taken, if only by one that was revoked: names are not used twice.`;
    return fail("directory_conflict", { detail });
  }
  if (admin.expiresAtMs !== undefined && admin.expiresAtMs <= nowMs) {
    return fail("invalid_request", { issues: [{ path: "expires_at", message: "a time to come" }] });
  }
  return ok(written(undefined, admin, "create-admin"));
}

function written(before: DirectoryAdmin | undefined, after: DirectoryAdmin, kind: string): DirectoryStep {
  const from = before === undefined ? null : factsOf(before);
  return {
    writes: [{ entry: "admin", is: after }],
    audit: [{ kind, scope: `admin:${after.name}`, from, to: factsOf(after) }],
  };
}

function factsOf({ hash: _, ...facts }: DirectoryAdmin): Omit<DirectoryAdmin, "hash"> {
  return facts;
}
