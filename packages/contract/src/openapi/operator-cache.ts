import { type Operation, operating, reading } from "./operation.ts";
import { description, operation } from "./operator.ts";

/** The operator's API for the answer cache: rules, purges and keys. Described apart: a document is to stay small. */

const keeping = [...operating, "cache_keeper_unavailable"] as const;
const ofModel = [...keeping, "model_not_found", "registry_unavailable"] as const;
const ofTenant = [...keeping, "invalid_request"] as const;

const policy = { 200: { description: "The policy as it is set now.", schema: "CachePolicy" } } as const;
const request = { schema: "CachePolicy", example: { ttl_s: 600, stale_if_error_s: 3600 } } as const;
const made = {
  200: { description: "It is published.", schema: "CacheChanged" },
  202: { description: "It will be published within seconds.", schema: "CacheChanged" },
} as const;

function policyOperations(path: string, of: "Model" | "Tenant", errors: Operation["errors"]): readonly Operation[] {
  const whose = of.toLowerCase();
  return [
    operation({
      method: "get",
      path,
      scope: "cache:read",
      id: `show${of}CachePolicy`,
      summary: `What is set for the ${whose}: empty when nothing is.`,
      answers: policy,
      errors,
    }),
    operation({
      method: "put",
      path,
      scope: "cache:write",
      id: `set${of}CachePolicy`,
      summary: `Set the cache policy of a ${whose}. A tenant's goes before a model's, and both before the deployment's.`,
      request,
      answers: policy,
      errors: [...new Set([...reading, ...ofModel, ...errors])],
    }),
    operation({
      method: "delete",
      path,
      scope: "cache:write",
      id: `remove${of}CachePolicy`,
      summary: `Take the ${whose}'s policy away.`,
      answers: policy,
      errors,
    }),
  ];
}

/** Every route under `/admin` for the answer cache. */
export const cacheOperations: readonly Operation[] = [
  operation({
    method: "get",
    path: "/cache",
    scope: "cache:read",
    id: "showCache",
    summary: "The cache's rules, what of it was purged, and the last hundred changes.",
    answers: { 200: { description: "The rules.", schema: "CacheAnswer" } },
    errors: keeping,
  }),
  operation({
    method: "post",
    path: "/cache/purge",
    scope: "cache:write",
    id: "purgeCache",
    summary: "Purge everything, a tenant, one of its tags or entries, a model, or a version of one.",
    request: { schema: "PurgeRequest", example: { tenant: "acme", tag: "faq" } },
    answers: made,
    errors: [...reading, ...ofModel, "version_not_found"],
  }),
  ...policyOperations("/models/{model}/cache", "Model", ofModel),
  ...policyOperations("/tenants/{tenant}/cache", "Tenant", ofTenant),
  operation({
    method: "get",
    path: "/tenants/{tenant}/cache/keys",
    scope: "cache:read",
    id: "listCacheKeys",
    summary: "The keys that open the tenant's kept answers, newest first, without themselves.",
    answers: { 200: { description: "The keys.", schema: "CacheKeysAnswer" } },
    errors: ofTenant,
  }),
  operation({
    method: "post",
    path: "/tenants/{tenant}/cache/keys/rotate",
    scope: "cache:write",
    id: "rotateCacheKeys",
    summary: "Seal with a new key from now on. The ones before still open.",
    answers: made,
    errors: [...ofTenant, "cache_keys_not_found"],
  }),
  operation({
    method: "delete",
    path: "/tenants/{tenant}/cache/keys",
    scope: "cache:write",
    id: "destroyCacheKeys",
    summary: "Destroy the tenant's keys: nothing that was kept of it can be opened again.",
    answers: made,
    errors: ofTenant,
  }),
  description("cache"),
];
