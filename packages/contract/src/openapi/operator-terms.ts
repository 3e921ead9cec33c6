import { type Operation, operating, reading } from "./operation.ts";
import { operation } from "./operator.ts";
import type { SchemaName } from "./schemas.ts";

const changing = [...reading, ...operating] as const;
const taking = [...operating, "terms_not_found", "directory_conflict"] as const;

/** The operator's API for plans, tiers, prices and models' terms. `done`: the answers of a change. */
export function termsOperations(done: (schema: SchemaName) => Operation["answers"]): readonly Operation[] {
  return [
    operation({
      method: "get",
      path: "/terms",
      scope: "terms:read",
      id: "showTerms",
      summary: "All plans, tiers, prices and models' terms, as gateways read them.",
      answers: { 200: { description: "The terms.", schema: "Terms" } },
      errors: operating,
    }),
    ...namedTerms("plan", "Plan", { tier: "standard", limits: { requests_per_minute: 600 } }, done),
    ...namedTerms("tier", "ServiceTier", { priority: 3 }, done),
    ...modelOperations(done),
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
  ];
}

function namedTerms(
  what: "plan" | "tier",
  schema: "Plan" | "ServiceTier",
  example: object,
  done: (schema: SchemaName) => Operation["answers"],
): readonly Operation[] {
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

function modelOperations(done: (schema: SchemaName) => Operation["answers"]): readonly Operation[] {
  const path = "/models/{model}/terms";
  const looking = ["model_not_found", "registry_unavailable"] as const;
  return [
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
}
