import { admitting, type Operation, operating, reading } from "./operation.ts";
import { description, done, operation } from "./operator.ts";

/** API keys, as the operator and as tenants themselves see them. */

const list = "Lists go on after an id: send `next` as `after`.";

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
    method: "post",
    path: "/certificates",
    scope: "keys:write",
    id: "registerCertificate",
    summary:
      "Make a client certificate a credential, as an API key is one. It is listed, changed and revoked as a key.",
    request: { schema: "NewCertificateRequest", example: { tenant: "acme", name: "ci", sha256: "ab".repeat(32) } },
    answers: done("KeyAnswer", 201),
    errors: [...reading, ...operating, ...issuing, "directory_conflict"],
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

export const keyOperations: readonly Operation[] = [...keys, ...own, description("keys")];
