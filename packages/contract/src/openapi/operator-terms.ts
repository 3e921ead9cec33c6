import { adminScopes } from "../tenancy/admins.ts";
import { type Operation, operating, reading } from "./operation.ts";
import { description, done, operation } from "./operator.ts";

const changing = [...reading, ...operating] as const;
const taking = [...operating, "terms_not_found", "directory_conflict"] as const;

function namedTerms(what: "plan" | "tier", schema: "Plan" | "ServiceTier", example: object): readonly Operation[] {
  const path = `/${what}s/{${what}}`;
  const id = what === "plan" ? "Plan" : "Tier";
  return [
    operation({
      method: "put",
      path,
      scope: "terms:write",
      id: `set${id}`,
      summary: `Set a ${what}.`,
      request: { schema, example },
      answers: done(schema),
      errors: [...changing, ...(what === "plan" ? (["terms_not_found"] as const) : [])],
    }),
    operation({
      method: "delete",
      path,
      scope: "terms:write",
      id: `remove${id}`,
      summary: `Remove a ${what} that nobody has.`,
      answers: done("Removed"),
      errors: taking,
    }),
  ];
}

const path = "/models/{model}/terms";
const looking = ["model_not_found", "registry_unavailable"] as const;

const models = [
  operation({
    method: "get",
    path,
    scope: "terms:read",
    id: "showModelTerms",
    summary: "What a model costs and allows: empty when it has no terms of its own.",
    answers: { 200: { description: "The terms.", schema: "ModelTerms" } },
    errors: [...operating, ...looking],
  }),
  operation({
    method: "put",
    path,
    scope: "terms:write",
    id: "setModelTerms",
    summary: "Set what a model costs and allows. Micro-cents.",
    request: { schema: "ModelTerms", example: { price: { per_call: 1_000 }, limits: { in_flight: 64 } } },
    answers: done("ModelTerms"),
    errors: [...changing, ...looking],
  }),
  operation({
    method: "delete",
    path,
    scope: "terms:write",
    id: "removeModelTerms",
    summary: "Take a model's terms away.",
    answers: done("Removed"),
    errors: [...operating, "terms_not_found"],
  }),
];

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

/** The operator's API for plans, tiers, prices and models' terms, for the operator's own credentials, and for the audit. */
export const termsOperations: readonly Operation[] = [
  operation({
    method: "get",
    path: "/terms",
    scope: "terms:read",
    id: "showTerms",
    summary: "All plans, tiers, prices and models' terms, as gateways read them.",
    answers: { 200: { description: "The terms.", schema: "Terms" } },
    errors: operating,
  }),
  ...namedTerms("plan", "Plan", { tier: "standard", limits: { requests_per_minute: 600 } }),
  ...namedTerms("tier", "ServiceTier", { priority: 3 }),
  ...models,
  operation({
    method: "put",
    path: "/prices",
    scope: "terms:write",
    id: "setPrices",
    summary: "Set the currency, and the price of models that have none of their own. Micro-cents.",
    request: { schema: "Prices", example: { currency: "EUR", price: { per_million_output_tokens: 1_000_000_000 } } },
    answers: done("Prices"),
    errors: changing,
  }),
  ...admins,
  operation({
    method: "get",
    path: "/audit",
    scope: "audit:read",
    id: "readAudit",
    summary: "Who changed what, from what to what: the newest rows, or with `after` the next ones.",
    answers: { 200: { description: "The rows, ascending.", schema: "AuditAnswer" } },
    errors: [...operating, "registry_unavailable", "invalid_request"],
  }),
  description("terms"),
];
