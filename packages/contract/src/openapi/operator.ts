import type { AdminScope } from "../tenancy/admins.ts";
import { always, type Operation, operating, reading } from "./operation.ts";
import type { SchemaName } from "./schemas.ts";

/** The operator's API, described in a document of its own: callers have no use for it. */

const registry = [...operating, "registry_unavailable"] as const;
const loading = ["model_not_ready", "overloaded", "upstream_failed", "deadline_exceeded"] as const;

type Part = Pick<Operation, "method" | "path" | "id" | "summary" | "answers" | "errors"> &
  Partial<Pick<Operation, "request" | "query">> & { readonly scope: AdminScope };

/** A route of the operator's, below `/admin/v1`. */
export function operation(part: Part): Operation {
  return { surface: "Operator", credential: "operator", ...part, path: `/admin/v1${part.path}` };
}

/** What a change answers: 202 when gateways cannot read it yet. */
export function done(schema: SchemaName, status: 200 | 201 = 200): Operation["answers"] {
  return {
    [status]: { description: "It is done, and gateways can read it.", schema },
    202: { description: "It is done. Gateways read it within a minute.", schema },
  };
}

/** Of a document itself. */
export function description(part?: string): Operation {
  return {
    method: "get",
    path: `/admin/openapi${part === undefined ? "" : `-${part}`}.json`,
    id: `${part ?? "operator"}Openapi`,
    surface: "Operator",
    summary: "This description.",
    answers: { 200: { description: "OpenAPI 3.1." } },
    errors: ["operator_unavailable", ...always],
  };
}

const packages = [
  operation({
    method: "put",
    path: "/blobs/{sha256}",
    scope: "models:write",
    id: "putBlob",
    summary: "Store a file of a package under its SHA-256. Again is the same as once.",
    request: { bytes: true },
    answers: { 200: { description: "It is stored.", schema: "BlobAnswer" } },
    errors: [...registry, "blob_not_found", "invalid_header", "invalid_request", "body_too_large", "digest_mismatch"],
  }),
  operation({
    method: "get",
    path: "/blobs/{sha256}",
    scope: "models:read",
    id: "getBlob",
    summary: "Read a file of a package; HEAD for its size. The origin's secret opens it too.",
    answers: { 200: { description: "Its bytes.", bytes: true } },
    errors: [...registry, "blob_not_found"],
  }),
  operation({
    method: "get",
    path: "/packages/{digest}",
    scope: "models:read",
    id: "getPackage",
    summary: "The document of a registered package, which names its files. The origin's secret opens it too.",
    answers: { 200: { description: "Canonical JSON whose SHA-256 is the digest." } },
    errors: [...registry, "model_not_found"],
  }),
  operation({
    method: "post",
    path: "/models/{model}/versions",
    scope: "models:write",
    id: "registerPackage",
    summary: "Register a package whose files are stored: the next version, or the old one of the same package.",
    request: {
      schema: "RegisterRequest",
      example: { manifest: { task: "tensor", file: { path: "model.onnx", bytes: 1, sha256: "0".repeat(64) } } },
    },
    answers: {
      200: { description: "It was registered already.", schema: "RegisterAnswer" },
      201: { description: "It is registered. It answers no bare name yet.", schema: "RegisterAnswer" },
    },
    errors: [...reading, ...registry, ...loading, "package_incomplete", "package_rejected", "registry_conflict"],
  }),
];

const model = "/models/{model}";
const version = `${model}/versions/{version}`;
const after = { 200: { description: "The model as it is now.", schema: "RegisteredModel" } } as const;
const lookingUp = [...registry, "model_not_found"] as const;
const lookingUpVersion = [...lookingUp, "version_not_found"] as const;
const pointing = [...reading, ...lookingUpVersion, "registry_conflict"] as const;

const looks = [
  operation({
    method: "get",
    path: "/models",
    scope: "models:read",
    id: "listRegisteredModels",
    summary: "Every model with its versions, aliases and rollout.",
    answers: { 200: { description: "The registry.", schema: "ModelsAnswer" } },
    errors: registry,
  }),
  operation({
    method: "get",
    path: model,
    scope: "models:read",
    id: "showModel",
    summary: "One model.",
    answers: after,
    errors: lookingUp,
  }),
  operation({
    method: "get",
    path: version,
    scope: "models:read",
    id: "showVersion",
    summary: "One version.",
    answers: { 200: { description: "The version.", schema: "RegisteredVersion" } },
    errors: lookingUpVersion,
  }),
];

const changes = [
  operation({
    method: "post",
    path: `${version}/load`,
    scope: "models:write",
    id: "loadVersion",
    summary: "Load a version, then let it be called.",
    answers: after,
    errors: [...lookingUpVersion, ...loading],
  }),
  operation({
    method: "post",
    path: `${version}/unload`,
    scope: "models:write",
    id: "unloadVersion",
    summary: "Refuse calls to a version from now on, and free it.",
    answers: after,
    errors: [...lookingUpVersion, "version_in_use"],
  }),
  operation({
    method: "delete",
    path: version,
    scope: "models:write",
    id: "removeVersion",
    summary: "Remove a version. Its number is not used again.",
    answers: { 200: { description: "It is removed.", schema: "RemovedVersion" } },
    errors: [...lookingUpVersion, "version_in_use"],
  }),
  operation({
    method: "put",
    path: `${model}/aliases/{alias}`,
    scope: "models:write",
    id: "pointAlias",
    summary: "Point an alias to a version.",
    request: { schema: "PointRequest", example: { version: "2" } },
    answers: after,
    errors: pointing,
  }),
  operation({
    method: "delete",
    path: `${model}/aliases/{alias}`,
    scope: "models:write",
    id: "removeAlias",
    summary: "Remove an alias.",
    answers: after,
    errors: [...lookingUp, "alias_not_found"],
  }),
  operation({
    method: "put",
    path: `${model}/policy`,
    scope: "models:write",
    id: "setPolicy",
    summary: "Say which versions can be called, in Triton's words.",
    request: { schema: "VersionPolicy", example: { latest: { num_versions: 2 } } },
    answers: after,
    errors: [...reading, ...lookingUpVersion],
  }),
  operation({
    method: "put",
    path: `${model}/stable`,
    scope: "models:write",
    id: "setStable",
    summary: "Make a version answer the bare name.",
    request: { schema: "PointRequest", example: { version: "2" } },
    answers: after,
    errors: [...pointing, "rollout_running"],
  }),
  operation({
    method: "post",
    path: `${model}/rollback`,
    scope: "models:write",
    id: "rollBack",
    summary: "End a running rollout, or go back to the stable version before this one.",
    answers: after,
    errors: [...lookingUpVersion, "registry_conflict", "rollout_not_found"],
  }),
];

const running = [...lookingUp, "rollout_not_found"] as const;
const ending = [...running, "registry_conflict"] as const;

const rollouts = [
  operation({
    method: "post",
    path: `${model}/rollout`,
    scope: "models:write",
    id: "startRollout",
    summary: "Start a canary, an experiment or a shadow.",
    request: { schema: "StartRolloutRequest", example: { kind: "canary", version: "2" } },
    answers: { 201: { description: "It runs.", schema: "RolloutReport" } },
    errors: [...pointing, "rollout_running"],
  }),
  operation({
    method: "get",
    path: `${model}/rollout`,
    scope: "models:read",
    id: "showRollout",
    summary: "How the running rollout is doing, per arm with 95 % intervals.",
    answers: { 200: { description: "The report.", schema: "RolloutReport" } },
    errors: [...running, "counter_unavailable"],
  }),
  operation({
    method: "post",
    path: `${model}/rollout/promote`,
    scope: "models:write",
    id: "promoteRollout",
    summary: "End the rollout and make its other version stable.",
    answers: after,
    errors: ending,
  }),
  operation({
    method: "post",
    path: `${model}/rollout/rollback`,
    scope: "models:write",
    id: "rollBackRollout",
    summary: "End the rollout: the stable version answers again.",
    answers: after,
    errors: ending,
  }),
  operation({
    method: "post",
    path: `${model}/rollout/stop`,
    scope: "models:write",
    id: "stopRollout",
    summary: "End an experiment or a shadow, which leaves stable as it is.",
    answers: after,
    errors: ending,
  }),
];

/** Every route under `/admin` for models, and the audit. */
export const operatorOperations: readonly Operation[] = [...packages, ...looks, ...changes, ...rollouts, description()];
