import { type DirectoryChange, type DirectoryKey, fail, ok, type Result, type Role } from "@ledge/contract";
import { revoked, scoped } from "./directory-keys.ts";
import { tenantNamed } from "./directory-tenants.ts";
import { type DirectoryStep, type DirectoryView, type DirectoryWrite, nothing } from "./directory-view.ts";
import { actionsBeyond, scopesWithin } from "./roles.ts";

type Change = Extract<DirectoryChange, { kind: "set-project" | "remove-project" | "set-member" }>;

/** Projects and members of a tenant. */
export function memberStep(view: DirectoryView, change: Change, nowMs: number): Result<DirectoryStep> {
  const { tenant } = change;
  const there = tenantNamed(view, tenant);
  if (!there.ok) return there;
  switch (change.kind) {
    case "set-project":
      return ok(setProject(view, change, nowMs));
    case "remove-project":
      return removeProject(view, tenant, change.project);
    case "set-member":
      return setMember(view, tenant, change.user, change.role, nowMs);
  }
}

function setProject(
  view: DirectoryView,
  { tenant, project, description }: Extract<Change, { kind: "set-project" }>,
  nowMs: number,
): DirectoryStep {
  const before = view.project(tenant, project);
  if (before !== undefined && before.description === description) return nothing;
  const said = description === undefined ? {} : { description };
  const is = { tenant, project, createdAtMs: before?.createdAtMs ?? nowMs, ...said };
  const from = before === undefined ? null : { description: before.description ?? null };
  return {
    writes: [{ entry: "project", tenant, project, is }],
    audit: [{ kind: "set-project", scope: `project:${tenant}/${project}`, from, to: said }],
  };
}

function removeProject(view: DirectoryView, tenant: string, project: string): Result<DirectoryStep> {
  const before = view.project(tenant, project);
  if (before === undefined) return fail("project_not_found");
  const keys = view.keysOf(tenant, { project });
  if (keys.length > 0) {
    const detail = `${keys.length} keys are the project's, ${keys[0]?.id} among them. Revoke them first.`;
    return fail("directory_conflict", { detail });
  }
  const from = { description: before.description ?? null };
  return ok({
    writes: [{ entry: "project", tenant, project, is: null }],
    audit: [{ kind: "remove-project", scope: `project:${tenant}/${project}`, from, to: null }],
  });
}

/** A member's keys follow its role: they lose what it does not allow, and end when nothing is left. */
function setMember(
  view: DirectoryView,
  tenant: string,
  user: string,
  role: Role | null,
  nowMs: number,
): Result<DirectoryStep> {
  const before = view.member(tenant, user);
  if (before === undefined && role === null) return fail("member_not_found");
  if (before?.role === role) return ok(nothing);
  const owners = view.members(tenant).filter((member) => member.role === "owner");
  if (before?.role === "owner" && owners.length === 1 && view.members(tenant).length > 1) {
    return fail("directory_conflict", { detail: `'${user}' is the last owner. Make another member owner first.` });
  }
  const scope = `member:${tenant}/${user}`;
  const member: DirectoryWrite = {
    entry: "member",
    tenant,
    user,
    is: role === null ? null : { tenant, user, role },
  };
  const keys = view.keysOf(tenant, { user }).map((key) => narrowed(key, role, nowMs));
  return ok({
    writes: [member, ...keys.flatMap(({ writes }) => writes)],
    audit: [{ kind: "set-member", scope, from: before?.role ?? null, to: role }, ...keys.flatMap(({ audit }) => audit)],
  });
}

function narrowed(key: DirectoryKey, role: Role | null, nowMs: number): DirectoryStep {
  const left = role === null ? [] : scopesWithin(role, key.scopes);
  if (left.length === 0) return revoked(key, nowMs, "its member's role");
  if (role === null || actionsBeyond(role, key.scopes).length === 0) return nothing;
  return scoped(key, left, "its member's role");
}
