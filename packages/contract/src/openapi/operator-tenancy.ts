import { adminScopes } from "../tenancy/admins.ts";
import { admitting, always, type Operation, operating, reading } from "./operation.ts";
import { operation } from "./operator.ts";
import { termsOperations } from "./operator-terms.ts";
import type { SchemaName } from "./schemas.ts";

/** Tenants, their projects, members and keys, as the operator and as tenants themselves see them; terms; credentials. */

const ofTenant = [...operating, "tenant_not_found"] as const;
const conflicting = [...ofTenant, "directory_conflict"] as const;

/** 202 when gateways cannot read it yet. */
function done(schema: SchemaName, status: 200 | 201 = 200): Operation["answers"] {
  return {
    [status]: { description: "It is done, and gateways can read it.", schema },
    202: { description: "It is done. Gateways read it within a minute.", schema },
  };
}

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

const issuing = [
  "tenant_not_found",
  "project_not_found",
  "member_not_found",
  "terms_not_found",
  "scope_denied",
  "directory_unavailable",
] as const;
const filters = "Filters in the query: `project`, `user`, `revoked=true`";

const keys = [
  operation({
    method: "post",
    path: "/keys",
    scope: "keys:write",
    id: "issueKey",
    summary: "Issue an API key. The answer is the only place where it is ever shown.",
    request: { schema: "NewKeyRequest", example: { tenant: "acme", name: "search", requests_per_minute: 600 } },
    answers: done("NewKeyAnswer", 201),
    errors: [...reading, ...operating, ...issuing],
  }),
  operation({
    method: "get",
    path: "/keys",
    scope: "keys:read",
    id: "listKeys",
    summary: `API keys by id, without themselves. ${filters}, \`tenant\`. ${list}`,
    answers: { 200: { description: "The keys.", schema: "KeysAnswer" } },
    errors: [...operating, "invalid_request"],
  }),
  operation({
    method: "get",
    path: "/keys/{id}",
    scope: "keys:read",
    id: "showKey",
    summary: "One API key, without itself.",
    answers: { 200: { description: "The key.", schema: "KeyAnswer" } },
    errors: [...operating, "key_not_found"],
  }),
  operation({
    method: "patch",
    path: "/keys/{id}",
    scope: "keys:write",
    id: "changeKey",
    summary: "Change a key's name, scopes, tier, limits, ips or expires_at by RFC 7396; `null` takes away.",
    request: { schema: "MergePatch", example: { limits: { requests_per_minute: 60 }, expires_at: null } },
    answers: done("KeyAnswer"),
    errors: [...reading, ...operating, ...issuing, "key_not_found", "directory_conflict"],
  }),
  operation({
    method: "post",
    path: "/keys/{id}/rotate",
    scope: "keys:write",
    id: "rotateKey",
    summary: "Issue a key in place of one that goes on for `overlap_s` (a day). The new one is shown here alone.",
    request: { schema: "RotateKeyRequest", example: { overlap_s: 3600 } },
    answers: done("NewKeyAnswer", 201),
    errors: [...reading, ...operating, "key_not_found", "directory_conflict"],
  }),
  operation({
    method: "delete",
    path: "/keys/{id}",
    scope: "keys:write",
    id: "revokeKey",
    summary: "Revoke an API key. Again is the same as once.",
    answers: done("RevokedKey"),
    errors: [...operating, "key_not_found"],
  }),
];

type Own = Pick<Operation, "method" | "path" | "scope" | "id" | "summary" | "request" | "answers" | "errors">;

const asking = [
  ...admitting,
  "scope_denied",
  "address_denied",
  "tenant_suspended",
  "operator_unavailable",
  "directory_unavailable",
] as const;

/** What a tenant's own key may ask, by its scopes. Other tenants' keys are not there for it. */
const own = (
  [
    {
      method: "get",
      path: "/v1/keys",
      scope: "admin-read",
      id: "listOwnKeys",
      summary: `The tenant's API keys by id, without themselves. ${filters}. ${list}`,
      answers: { 200: { description: "The keys.", schema: "KeysAnswer" } },
      errors: [...asking, "invalid_request"],
    },
    {
      method: "post",
      path: "/v1/keys",
      scope: "admin-write",
      id: "issueOwnKey",
      summary: "Issue a key of the tenant. It may do no more than the key that asks may hand on.",
      request: { schema: "NewOwnKeyRequest", example: { name: "search", project: "web" } },
      answers: done("NewKeyAnswer", 201),
      errors: [...reading, ...asking, ...issuing],
    },
    {
      method: "get",
      path: "/v1/keys/{id}",
      scope: "admin-read",
      id: "showOwnKey",
      summary: "One of the tenant's keys, without itself.",
      answers: { 200: { description: "The key.", schema: "KeyAnswer" } },
      errors: [...asking, "key_not_found"],
    },
    {
      method: "post",
      path: "/v1/keys/{id}/rotate",
      scope: "admin-write",
      id: "rotateOwnKey",
      summary: "Issue a key in place of one that goes on for `overlap_s` (a day).",
      request: { schema: "RotateKeyRequest", example: { overlap_s: 3600 } },
      answers: done("NewKeyAnswer", 201),
      errors: [...reading, ...asking, "key_not_found", "directory_conflict"],
    },
    {
      method: "delete",
      path: "/v1/keys/{id}",
      scope: "admin-write",
      id: "revokeOwnKey",
      summary: "Revoke one of the tenant's keys.",
      answers: done("RevokedKey"),
      errors: [...asking, "key_not_found"],
    },
  ] satisfies readonly Own[]
).map((part): Operation => ({ surface: "Ledge", credential: "caller", ...part }));

const admins = [
  operation({
    method: "get",
    path: "/admins",
    scope: "admins:read",
    id: "listAdmins",
    summary: "The operator's credentials beside the deployment's own, revoked ones too.",
    answers: { 200: { description: "The credentials.", schema: "AdminsAnswer" } },
    errors: operating,
  }),
  operation({
    method: "post",
    path: "/admins",
    scope: "admins:write",
    id: "createAdmin",
    summary: `Make a credential with scopes that you have yourself, of ${adminScopes.join(", ")}.`,
    request: { schema: "NewAdminRequest", example: { name: "ci", scopes: ["models:read", "models:write"] } },
    answers: { 201: { description: "It is shown here alone.", schema: "NewAdminAnswer" } },
    errors: [...reading, ...operating, "directory_conflict"],
  }),
  operation({
    method: "delete",
    path: "/admins/{name}",
    scope: "admins:write",
    id: "revokeAdmin",
    summary: "Revoke a credential, from the next request on.",
    answers: { 200: { description: "It is revoked.", schema: "RevokedAdmin" } },
    errors: [...operating, "admin_not_found"],
  }),
];

const description: Operation = {
  method: "get",
  path: "/admin/openapi-tenancy.json",
  id: "tenancyOpenapi",
  surface: "Operator",
  summary: "This description.",
  answers: { 200: { description: "OpenAPI 3.1." } },
  errors: ["operator_unavailable", ...always],
};

export const tenancyOperations: readonly Operation[] = [
  ...tenants,
  ...within,
  ...keys,
  ...own,
  ...termsOperations(done),
  ...admins,
  description,
];
