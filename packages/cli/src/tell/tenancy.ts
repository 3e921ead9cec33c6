import type {
  AdminsAnswer,
  KeyAnswer,
  KeysAnswer,
  MembersAnswer,
  ProjectsAnswer,
  Scope,
  TenantAnswer,
  TenantsAnswer,
} from "@ledge/contract";
import { table } from "./table.ts";

const nothing = "–";

export function tenantsText({ tenants, next }: TenantsAnswer): string {
  if (tenants.length === 0) return "There is no tenant: 'ledge tenant create acme' makes one.";
  const rows = tenants.map(({ tenant, state, settings, projects, members, keys }) => [
    tenant,
    state,
    settings.plan ?? "internal",
    String(projects),
    String(members),
    String(keys),
  ]);
  return table([["tenant", "state", "plan", "projects", "members", "keys"], ...rows]) + more(next);
}

export function tenantText(tenant: TenantAnswer): string {
  const { settings, webhook, created_at } = tenant;
  const said = Object.entries(settings).map(([name, value]) => [name, textOf(value)]);
  const lines = [tenantsText({ tenants: [tenant] }), `made ${created_at}`];
  if (webhook !== undefined) lines.push(`events go to ${webhook.url}`);
  return [...lines, said.length === 0 ? "All is as its plan says." : table([["setting", "is"], ...said])].join("\n\n");
}

export function projectsText({ projects }: ProjectsAnswer): string {
  if (projects.length === 0) return "There is no project.";
  const rows = projects.map(({ project, description, created_at }) => [project, description ?? nothing, created_at]);
  return table([["project", "is", "made"], ...rows]);
}

export function membersText({ members }: MembersAnswer): string {
  if (members.length === 0) return "There is no member.";
  return table([["user", "role"], ...members.map(({ user, role }) => [user, role])]);
}

export function keysText({ keys, next }: KeysAnswer): string {
  if (keys.length === 0) return "There is no such key.";
  const rows = keys.map((key) => [
    key.id,
    key.tenant,
    key.name,
    key.state,
    key.project ?? nothing,
    key.user ?? nothing,
    key.scopes.map(scopeText).join(" "),
    key.expires_at ?? nothing,
    key.last_used_at ?? nothing,
  ]);
  return (
    table([["id", "tenant", "name", "state", "project", "user", "may", "until", "last used"], ...rows]) + more(next)
  );
}

export function keyText(key: KeyAnswer): string {
  const rows = Object.entries(key).map(([name, value]) => [
    name,
    name === "scopes" ? key.scopes.map(scopeText).join(" ") : textOf(value),
  ]);
  return table(rows);
}

function scopeText({ actions, models }: Scope): string {
  return `${actions.join(",")}:${models.join(",")}`;
}

export function adminsText({ admins }: AdminsAnswer): string {
  if (admins.length === 0) return "There is none but the deployment's own: 'ledge admin create' makes one.";
  const rows = admins.map(({ name, state, scopes, created_at, expires_at }) => [
    name,
    state,
    created_at,
    expires_at ?? nothing,
    scopes.join(","),
  ]);
  return table([["name", "state", "made", "until", "may"], ...rows]);
}

function more(next: string | undefined): string {
  return next === undefined ? "" : `\n\nThere may be more: --after ${next}`;
}

/** Objects as `name=value`, so that a table stays one line a row. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return nothing;
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(textOf).join(",");
  return Object.entries(value)
    .map(([name, member]) => `${name}=${typeof member === "object" ? `(${textOf(member)})` : textOf(member)}`)
    .join(" ");
}
