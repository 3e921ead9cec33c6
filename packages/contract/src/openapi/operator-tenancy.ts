import { type Operation, operating, reading } from "./operation.ts";
import { description, done, operation } from "./operator.ts";

/** The operator's API for tenants, their projects and members. */

const ofTenant = [...operating, "tenant_not_found"] as const;
const conflicting = [...ofTenant, "directory_conflict"] as const;

const list = "Lists go on after a name: send `next` as `after`.";
const tenant = "/tenants/{tenant}";

const tenants = [
  operation({
    method: "get",
    path: "/tenants",
    scope: "tenants:read",
    id: "listTenants",
    summary: `Tenants by name, \`limit\` of them (100). ${list}`,
    answers: { 200: { description: "The tenants.", schema: "TenantsAnswer" } },
    errors: [...operating, "invalid_request"],
  }),
  operation({
    method: "post",
    path: "/tenants",
    scope: "tenants:write",
    id: "createTenant",
    summary: "Make a tenant.",
    request: { schema: "NewTenantRequest", example: { tenant: "acme", plan: "pro", time_zone: "Europe/Berlin" } },
    answers: done("TenantAnswer", 201),
    errors: [...reading, ...operating, "terms_not_found", "directory_conflict"],
  }),
  operation({
    method: "get",
    path: tenant,
    scope: "tenants:read",
    id: "showTenant",
    summary: "One tenant, and how many projects, members and keys it has.",
    answers: { 200: { description: "The tenant.", schema: "TenantAnswer" } },
    errors: ofTenant,
  }),
  operation({
    method: "patch",
    path: tenant,
    scope: "tenants:write",
    id: "changeTenant",
    summary: "Change a tenant's settings (`TenantSettings`) by RFC 7396: what is named changes, `null` takes away.",
    request: { schema: "MergePatch", example: { plan: "free", limits: { in_flight: 8 }, quotas: null } },
    answers: done("TenantAnswer"),
    errors: [...reading, ...ofTenant, "terms_not_found"],
  }),
  operation({
    method: "delete",
    path: tenant,
    scope: "tenants:write",
    id: "deleteTenant",
    summary: "Delete a tenant with its projects, members and keys. What it used stays counted.",
    answers: done("DeletedTenant"),
    errors: ofTenant,
  }),
  operation({
    method: "post",
    path: `${tenant}/suspend`,
    scope: "tenants:write",
    id: "suspendTenant",
    summary: "Refuse all calls of a tenant until it is resumed.",
    answers: done("TenantAnswer"),
    errors: ofTenant,
  }),
  operation({
    method: "post",
    path: `${tenant}/resume`,
    scope: "tenants:write",
    id: "resumeTenant",
    summary: "Take a tenant's calls again.",
    answers: done("TenantAnswer"),
    errors: ofTenant,
  }),
  operation({
    method: "put",
    path: `${tenant}/webhook`,
    scope: "tenants:write",
    id: "setWebhook",
    summary: "Say where the tenant's events go. The secret that signs them is shown here alone; again makes a new one.",
    request: { schema: "WebhookRequest", example: { url: "https://hooks.example.com/ledge" } },
    answers: { 200: { description: "The address and the secret.", schema: "WebhookAnswer" } },
    errors: [...reading, ...ofTenant],
  }),
  operation({
    method: "delete",
    path: `${tenant}/webhook`,
    scope: "tenants:write",
    id: "removeWebhook",
    summary: "Send the tenant's events nowhere.",
    answers: { 200: { description: "It is gone.", schema: "Removed" } },
    errors: ofTenant,
  }),
];

const project = `${tenant}/projects/{project}`;
const member = `${tenant}/members/{user}`;

const within = [
  operation({
    method: "get",
    path: `${tenant}/projects`,
    scope: "tenants:read",
    id: "listProjects",
    summary: "A tenant's projects.",
    answers: { 200: { description: "The projects.", schema: "ProjectsAnswer" } },
    errors: ofTenant,
  }),
  operation({
    method: "put",
    path: project,
    scope: "tenants:write",
    id: "setProject",
    summary: "Make a project, or describe it anew.",
    request: { schema: "ProjectRequest", example: { description: "the search box" } },
    answers: { 200: { description: "The project.", schema: "Project" } },
    errors: [...reading, ...ofTenant],
  }),
  operation({
    method: "delete",
    path: project,
    scope: "tenants:write",
    id: "removeProject",
    summary: "Remove a project that has no keys.",
    answers: { 200: { description: "It is gone.", schema: "Removed" } },
    errors: [...conflicting, "project_not_found"],
  }),
  operation({
    method: "get",
    path: `${tenant}/members`,
    scope: "tenants:read",
    id: "listMembers",
    summary: "A tenant's members and their roles.",
    answers: { 200: { description: "The members.", schema: "MembersAnswer" } },
    errors: ofTenant,
  }),
  operation({
    method: "put",
    path: member,
    scope: "tenants:write",
    id: "setMember",
    summary: "Give a member a role. Its keys lose what the role does not allow.",
    request: { schema: "MemberRequest", example: { role: "developer" } },
    answers: done("Member"),
    errors: [...reading, ...conflicting],
  }),
  operation({
    method: "delete",
    path: member,
    scope: "tenants:write",
    id: "removeMember",
    summary: "Remove a member, and revoke its keys.",
    answers: done("Removed"),
    errors: [...conflicting, "member_not_found"],
  }),
];

export const tenancyOperations: readonly Operation[] = [...tenants, ...within, description("tenancy")];
