import { type AdminScope, ok, type Result } from "@ledge/contract";
import { readJson } from "./accept/body.ts";
import type { Exchange } from "./app.ts";
import { type Desks, desksOf } from "./desks.ts";
import { readAudit } from "./operate/audit.ts";
import { getBlob, putBlob } from "./operate/blobs.ts";
import { liftBlock, listBlocks } from "./operate/blocks.ts";
import * as cache from "./operate/cache.ts";
import * as models from "./operate/models.ts";
import { admitOperator, admitOperatorOrOrigin } from "./operate/operator.ts";
import { registerPackage } from "./operate/register.ts";
import { endRollout, showRollout, startRollout } from "./operate/rollouts.ts";
import { readEvents, readRows, reconcile, reportUsage } from "./operate/usage.ts";
import type { OperatorRuntime } from "./operator-wire.ts";
import { jsonReply, jsonText, type Reply } from "./reply.ts";
import type { Route } from "./serve.ts";

/**
 * The operator's API, `/admin/v1`, for models and the answer cache: in the operator Worker. Everything here takes a
 * credential of the operator's with the scope that its route names, and nothing else. Of tenants: `directory-routes.ts`.
 */

type OperatorExchange = Exchange<OperatorRuntime>;
export type OperatorRoute = Route<OperatorRuntime>;
/** What is done for an admitted operator. */
export interface Visit {
  readonly x: OperatorExchange;
  /** As this operator finds them. */
  readonly desks: Desks;
  readonly params: (name: string) => string;
  readonly query: URLSearchParams;
}
export type Work = (visit: Visit) => Promise<Result<Reply>>;
export type BodyWork = (body: unknown, visit: Visit) => Promise<Result<Reply>>;

type Method = OperatorRoute[0];

export function operate(method: Method, path: string, scope: AdminScope, work: Work): OperatorRoute {
  return route(method, path, (x) => admitOperator(x.request, scope, x.runtime.gatekeeper), work);
}

export function operateOn(method: Method, path: string, scope: AdminScope, work: BodyWork): OperatorRoute {
  return operate(method, path, scope, async (visit) => {
    const { x } = visit;
    const body = await readJson(x.request, x.runtime.config.BODY_BYTES_MAX);
    return body.ok ? await work(body.value, visit) : body;
  });
}

/** Also open to the origin's secret. */
function fetchPart(path: string, work: Work): OperatorRoute {
  return route("GET", path, (x) => admitOperatorOrOrigin(x.request, "models:read", x.runtime.gatekeeper), work);
}

function route(
  method: Method,
  path: string,
  admit: (x: OperatorExchange) => ReturnType<typeof admitOperator>,
  work: Work,
): OperatorRoute {
  return [
    method,
    `/admin/v1${path}`,
    async (x, c) => {
      const admin = await admit(x);
      if (!admin.ok) return admin;
      const params = (name: string) => c.param(name) ?? "";
      const query = new URL(x.request.url).searchParams;
      return await work({ x, desks: desksOf(x.runtime, admin.value), params, query });
    },
  ];
}

export async function json(work: Promise<Result<unknown>>, status = 200): Promise<Result<Reply>> {
  const done = await work;
  return done.ok ? ok(jsonReply(done.value, status)) : done;
}

const put: Work = ({ x, desks, params }) => {
  const { config } = x.runtime;
  return json(putBlob(x.request, params("sha256"), { blobs: desks.models.blobs, bytesMax: config.MODEL_BYTES_MAX }));
};

/** A HEAD is routed as the GET that it asks about. */
const get: Work = async ({ x, desks, params }) => {
  const blob = await getBlob(params("sha256"), x.request.method === "HEAD", desks.models.blobs);
  if (!blob.ok) return blob;
  const headers = { "Content-Type": "application/octet-stream", "Content-Length": String(blob.value.bytes) };
  return ok({ status: 200, body: blob.value.body ?? null, headers });
};

const fetchPackage: Work = async ({ desks, params }) => {
  const document = await models.packageOf(params("digest"), desks.models);
  return document.ok ? ok(jsonText(document.value)) : document;
};

const register: BodyWork = async (body, { desks, params }) => {
  const registered = await registerPackage(params("model"), body, desks.models);
  return registered.ok ? ok(jsonReply(registered.value, registered.value.created ? 201 : 200)) : registered;
};

const setState =
  (state: "ready" | "unloaded"): Work =>
  ({ desks, params }) =>
    json(models.setState(params("model"), params("version"), state, desks.models));

const endARollout =
  (outcome: Parameters<typeof endRollout>[1]): Work =>
  ({ desks, params }) =>
    json(endRollout(params("model"), outcome, desks.rollouts));

async function cacheChange(work: ReturnType<typeof cache.purgeCache>): Promise<Result<Reply>> {
  const done = await work;
  return done.ok ? ok(jsonReply({ number: done.value.number }, cache.statusOf(done.value))) : done;
}

function cachePolicyRoutes(of: cache.PolicyOwner["of"], path: string): readonly OperatorRoute[] {
  const owner = (params: Visit["params"]) => ({ of, name: params(of) });
  return [
    operate("GET", path, "cache:read", ({ desks, params }) => json(cache.showPolicy(owner(params), desks.cache))),
    operateOn("PUT", path, "cache:write", (body, { desks, params }) =>
      json(cache.setCachePolicy(owner(params), body, desks.cache)),
    ),
    operate("DELETE", path, "cache:write", ({ desks, params }) =>
      json(cache.removeCachePolicy(owner(params), desks.cache)),
    ),
  ];
}

const tenantCache = "/tenants/:tenant/cache";

/** The answer cache's rules, purges and keys. */
const cacheRoutes: readonly OperatorRoute[] = [
  operate("GET", "/cache", "cache:read", ({ desks }) => json(cache.showCache(desks.cache))),
  operateOn("POST", "/cache/purge", "cache:write", (body, { desks }) =>
    cacheChange(cache.purgeCache(body, desks.cache)),
  ),
  ...cachePolicyRoutes("model", "/models/:model/cache"),
  ...cachePolicyRoutes("tenant", tenantCache),
  operate("GET", `${tenantCache}/keys`, "cache:read", ({ desks, params }) =>
    json(cache.listKeys(params("tenant"), desks.cache)),
  ),
  operate("POST", `${tenantCache}/keys/rotate`, "cache:write", ({ desks, params }) =>
    cacheChange(cache.changeKeys("rotate-keys", params("tenant"), desks.cache)),
  ),
  operate("DELETE", `${tenantCache}/keys`, "cache:write", ({ desks, params }) =>
    cacheChange(cache.changeKeys("destroy-keys", params("tenant"), desks.cache)),
  ),
];

/** What tenants used, and what their ledgers have to tell. */
const usageRoutes: readonly OperatorRoute[] = [
  operate("GET", "/usage", "usage:read", async ({ x, query }) => {
    const report = await reportUsage(query, x.runtime.usage);
    if (!report.ok) return report;
    return ok({ status: 200, body: report.value.text, headers: { "Content-Type": report.value.type } });
  }),
  operate("GET", "/events", "usage:read", ({ x, query }) => json(readEvents(query, x.runtime.usage))),
  operate("GET", "/ledger/rows", "usage:read", ({ x, query }) => json(readRows(query, x.runtime.usage))),
  operateOn("POST", "/ledger/reconcile", "usage:write", (body, { x }) => json(reconcile(body, x.runtime.usage))),
];

const model = "/models/:model";
const version = `${model}/versions/:version`;

const rolloutRoutes: readonly OperatorRoute[] = [
  operateOn("POST", `${model}/rollout`, "models:write", (body, { desks, params }) =>
    json(startRollout(params("model"), body, desks.rollouts), 201),
  ),
  operate("GET", `${model}/rollout`, "models:read", ({ desks, params }) =>
    json(showRollout(params("model"), desks.rollouts)),
  ),
  operate("POST", `${model}/rollout/promote`, "models:write", endARollout("promoted")),
  operate("POST", `${model}/rollout/rollback`, "models:write", endARollout("rolled-back")),
  operate("POST", `${model}/rollout/stop`, "models:write", endARollout("stopped")),
];

export const adminRoutes: readonly OperatorRoute[] = [
  operate("PUT", "/blobs/:sha256", "models:write", put),
  fetchPart("/blobs/:sha256", get),
  fetchPart("/packages/:digest", fetchPackage),
  operate("GET", "/models", "models:read", ({ desks }) => json(models.listModels(desks.models))),
  operate("GET", model, "models:read", ({ desks, params }) => json(models.showModel(params("model"), desks.models))),
  operateOn("POST", `${model}/versions`, "models:write", register),
  operate("GET", version, "models:read", ({ desks, params }) =>
    json(models.showVersion(params("model"), params("version"), desks.models)),
  ),
  operate("DELETE", version, "models:write", ({ desks, params }) =>
    json(models.removeVersion(params("model"), params("version"), desks.models)),
  ),
  operate("POST", `${version}/load`, "models:write", setState("ready")),
  operate("POST", `${version}/unload`, "models:write", setState("unloaded")),
  operateOn("PUT", `${model}/aliases/:alias`, "models:write", (body, { desks, params }) =>
    json(models.pointAlias(params("model"), params("alias"), body, desks.models)),
  ),
  operate("DELETE", `${model}/aliases/:alias`, "models:write", ({ desks, params }) =>
    json(models.removeAlias(params("model"), params("alias"), desks.models)),
  ),
  operateOn("PUT", `${model}/policy`, "models:write", (body, { desks, params }) =>
    json(models.setPolicy(params("model"), body, desks.models)),
  ),
  operateOn("PUT", `${model}/stable`, "models:write", (body, { desks, params }) =>
    json(models.setStable(params("model"), body, desks.models)),
  ),
  operate("POST", `${model}/rollback`, "models:write", ({ desks, params }) =>
    json(models.rollBack(params("model"), desks.models)),
  ),
  ...rolloutRoutes,
  operate("GET", "/audit", "audit:read", ({ desks, query }) => json(readAudit(query, desks.audits))),
  ...cacheRoutes,
  ...usageRoutes,
  operate("GET", "/blocks", "blocks:read", ({ x, query }) => json(listBlocks(query, x.runtime.blockList))),
  operateOn("POST", "/blocks/lift", "blocks:write", (body, { x, desks }) =>
    json(liftBlock(body, desks.models.who, x.runtime.blockList)),
  ),
];
