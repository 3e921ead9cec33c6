import {
  type DeletedTenant,
  type DirectoryProject,
  fail,
  type MembersAnswer,
  memberRequest,
  mergePatchRequest,
  newTenantRequest,
  ok,
  type Project,
  type ProjectsAnswer,
  parse,
  projectName,
  projectRequest,
  type Result,
  type TenantAnswer,
  type TenantsAnswer,
  userName,
  type WebhookAnswer,
  webhookRequest,
} from "@ledge/contract";
import {
  ask,
  askOfTenant,
  changeDirectory,
  type DirectoryDesk,
  type Made,
  nextOf,
  pageOf,
  timeText,
} from "./directory.ts";
import type { DirectoryWriter, TenantFacts, TenantReader } from "./ports.ts";

/** The operator's desk for tenants, their projects and members. The directory takes or refuses; its faults pass through. */
export interface TenantDesk extends DirectoryDesk {
  readonly directory: DirectoryWriter & TenantReader;
}

/** Errors: `invalid_request`, `directory_unavailable`. */
export async function listTenants(query: URLSearchParams, { directory }: TenantDesk): Promise<Result<TenantsAnswer>> {
  const page = pageOf(query);
  if (!page.ok) return page;
  const tenants = await ask(() => directory.tenants(page.value.after, page.value.limit));
  if (!tenants.ok) return tenants;
  return ok({
    tenants: tenants.value.map(answerOf),
    ...nextOf(
      page.value,
      tenants.value.map(({ tenant }) => tenant),
    ),
  });
}

/** Errors: `tenant_not_found`, `directory_unavailable`. */
export async function showTenant(name: string, { directory }: TenantDesk): Promise<Result<TenantAnswer>> {
  const tenant = await askOfTenant(() => directory.tenant(name));
  return tenant.ok ? ok(answerOf(tenant.value)) : tenant;
}

/** Errors: `invalid_request` with every fault, `terms_not_found`, `directory_conflict`, `directory_unavailable`. */
export async function createTenant(body: unknown, desk: TenantDesk): Promise<Result<Made<TenantAnswer>>> {
  const request = parse(newTenantRequest, body);
  if (!request.ok) return request;
  const { tenant, ...settings } = request.value;
  return await changed({ kind: "create-tenant", tenant, settings }, tenant, desk);
}

/** Errors: as {@link createTenant}'s, `tenant_not_found`. */
export async function changeTenant(
  tenant: string,
  body: unknown,
  desk: TenantDesk,
): Promise<Result<Made<TenantAnswer>>> {
  const patch = parse(mergePatchRequest, body);
  if (!patch.ok) return patch;
  return await changed({ kind: "change-tenant", tenant, patch: patch.value }, tenant, desk);
}

/** Errors: `tenant_not_found`, `directory_unavailable`. */
export function moveTenant(
  kind: "suspend-tenant" | "resume-tenant",
  tenant: string,
  desk: TenantDesk,
): Promise<Result<Made<TenantAnswer>>> {
  return changed({ kind, tenant }, tenant, desk);
}

/** With its projects, members and keys; what it used stays counted. Errors: `tenant_not_found`, `directory_unavailable`. */
export async function deleteTenant(tenant: string, desk: TenantDesk): Promise<Result<Made<DeletedTenant>>> {
  const done = await changeDirectory({ kind: "delete-tenant", tenant }, desk);
  if (!done.ok) return done;
  const { published, ended } = done.value;
  return ok({ value: { deleted: tenant, keys: ended.length }, published });
}

async function changed(
  change: Parameters<typeof changeDirectory>[0],
  tenant: string,
  desk: TenantDesk,
): Promise<Result<Made<TenantAnswer>>> {
  const done = await changeDirectory(change, desk);
  if (!done.ok) return done;
  const value = await showTenant(tenant, desk);
  return value.ok ? ok({ value: value.value, published: done.value.published }) : value;
}

function answerOf({ createdAtMs, webhook, ...facts }: TenantFacts): TenantAnswer {
  return {
    ...facts,
    ...(webhook?.url === undefined ? {} : { webhook: { url: webhook.url } }),
    created_at: timeText(createdAtMs),
  };
}

/** Sets where events go, with a new secret. Errors: `invalid_request`, `tenant_not_found`, `directory_unavailable`. */
export async function setWebhook(tenant: string, body: unknown, desk: TenantDesk): Promise<Result<WebhookAnswer>> {
  const request = parse(webhookRequest, body);
  if (!request.ok) return request;
  const done = await changeDirectory({ kind: "set-webhook", tenant, url: request.value.url }, desk);
  if (!done.ok) return done;
  return await askOfTenant(() => desk.directory.webhook(tenant));
}

/** Errors: `tenant_not_found`, `directory_unavailable`. */
export async function removeWebhook(tenant: string, desk: TenantDesk): Promise<Result<{ readonly removed: string }>> {
  const done = await changeDirectory({ kind: "set-webhook", tenant, url: null }, desk);
  return done.ok ? ok({ removed: tenant }) : done;
}

/** Errors: `tenant_not_found`, `directory_unavailable`. */
export async function listProjects(tenant: string, { directory }: TenantDesk): Promise<Result<ProjectsAnswer>> {
  const projects = await askOfTenant(() => directory.projects(tenant));
  return projects.ok ? ok({ projects: projects.value.map(projectAnswer) }) : projects;
}

/** Makes a project, or describes it anew. Errors: `invalid_request`, `tenant_not_found`, `directory_unavailable`. */
export async function setProject(
  tenant: string,
  project: string,
  body: unknown,
  desk: TenantDesk,
): Promise<Result<Project>> {
  const named = namedAs("project", projectName.safeParse(project).success);
  if (!named.ok) return named;
  const request = parse(projectRequest, body);
  if (!request.ok) return request;
  const { description } = request.value;
  const said = description === undefined ? {} : { description };
  const done = await changeDirectory({ kind: "set-project", tenant, project, ...said }, desk);
  if (!done.ok) return done;
  const projects = await askOfTenant(() => desk.directory.projects(tenant));
  if (!projects.ok) return projects;
  const made = projects.value.find((known) => known.project === project);
  return made === undefined ? fail("project_not_found") : ok(projectAnswer(made));
}

/** Errors: `tenant_not_found`, `project_not_found`, `directory_conflict` while keys are its, `directory_unavailable`. */
export async function removeProject(
  tenant: string,
  project: string,
  desk: TenantDesk,
): Promise<Result<{ readonly removed: string }>> {
  const done = await changeDirectory({ kind: "remove-project", tenant, project }, desk);
  return done.ok ? ok({ removed: project }) : done;
}

function projectAnswer({ project, description, createdAtMs }: DirectoryProject): Project {
  return { project, ...(description === undefined ? {} : { description }), created_at: timeText(createdAtMs) };
}

/** Errors: `tenant_not_found`, `directory_unavailable`. */
export async function listMembers(tenant: string, { directory }: TenantDesk): Promise<Result<MembersAnswer>> {
  const members = await askOfTenant(() => directory.members(tenant));
  return members.ok ? ok({ members: members.value.map(({ user, role }) => ({ user, role })) }) : members;
}

/** Keys of the member lose what the role does not allow. Errors: `invalid_request`, `tenant_not_found`, `directory_conflict`, `directory_unavailable`. */
export async function setMember(
  tenant: string,
  user: string,
  body: unknown,
  desk: TenantDesk,
): Promise<Result<Made<{ readonly user: string; readonly role: string }>>> {
  const named = namedAs("user", userName.safeParse(user).success);
  if (!named.ok) return named;
  const request = parse(memberRequest, body);
  if (!request.ok) return request;
  const { role } = request.value;
  const done = await changeDirectory({ kind: "set-member", tenant, user, role }, desk);
  return done.ok ? ok({ value: { user, role }, published: done.value.published }) : done;
}

/** With the member's keys. Errors: `tenant_not_found`, `member_not_found`, `directory_conflict`, `directory_unavailable`. */
export async function removeMember(
  tenant: string,
  user: string,
  desk: TenantDesk,
): Promise<Result<Made<{ readonly removed: string; readonly keys: number }>>> {
  const done = await changeDirectory({ kind: "set-member", tenant, user, role: null }, desk);
  if (!done.ok) return done;
  return ok({ value: { removed: user, keys: done.value.ended.length }, published: done.value.published });
}

function namedAs(path: string, isName: boolean): Result<true> {
  return isName ? ok(true) : fail("invalid_request", { issues: [{ path, message: "not a name that it may have" }] });
}
