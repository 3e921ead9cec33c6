import { ok, type Result } from "@ledge/contract";
import { readJson } from "./accept/body.ts";
import type { Exchange } from "./app.ts";
import { readAudit } from "./operate/audit.ts";
import { getBlob, putBlob } from "./operate/blobs.ts";
import { liftBlock, listBlocks } from "./operate/blocks.ts";
import * as cache from "./operate/cache.ts";
import { issueKey, revokeKey } from "./operate/keys.ts";
import * as models from "./operate/models.ts";
import { admitOperator, admitOperatorOrOrigin } from "./operate/operator.ts";
import { registerPackage } from "./operate/register.ts";
import { endRollout, showRollout, startRollout } from "./operate/rollouts.ts";
import type { OperatorRuntime } from "./operator-wire.ts";
import { jsonReply, jsonText, type Reply } from "./reply.ts";
import type { Route } from "./serve.ts";

/** The operator's API, `/admin/v1`: in the operator Worker. Everything here takes the operator's key and nothing else. */

type OperatorExchange = Exchange<OperatorRuntime>;
type OperatorRoute = Route<OperatorRuntime>;
type Params = (name: string) => string;
type Work = (x: OperatorExchange, params: Params) => Promise<Result<Reply>>;
type BodyWork = (body: unknown, x: OperatorExchange, params: Params) => Promise<Result<Reply>>;

type Method = OperatorRoute[0];

function operate(method: Method, path: string, work: Work): OperatorRoute {
  return [
    method,
    `/admin/v1${path}`,
    async (x, c) => {
      const operator = admitOperator(x.request, x.runtime.gatekeeper);
      return operator.ok ? await work(x, (name) => c.req.param(name) ?? "") : operator;
    },
  ];
}

function operateOn(method: Method, path: string, work: BodyWork): OperatorRoute {
  return operate(method, path, async (x, params) => {
    const body = await readJson(x.request, x.runtime.config.BODY_BYTES_MAX);
    return body.ok ? await work(body.value, x, params) : body;
  });
}

/** Also open to the origin's secret. */
function fetchPart(path: string, work: Work): OperatorRoute {
  return [
    "GET",
    `/admin/v1${path}`,
    async (x, c) => {
      const admitted = admitOperatorOrOrigin(x.request, x.runtime.gatekeeper);
      return admitted.ok ? await work(x, (name) => c.req.param(name) ?? "") : admitted;
    },
  ];
}

async function json(work: Promise<Result<unknown>>, status = 200): Promise<Result<Reply>> {
  const done = await work;
  return done.ok ? ok(jsonReply(done.value, status)) : done;
}

const issue: BodyWork = (body, x) => json(issueKey(body, x.runtime.desk), 201);

const revoke: Work = async (x, params) => {
  const revoked = await revokeKey(params("id"), x.runtime.desk);
  return revoked.ok ? ok(jsonReply({ revoked: revoked.value.id })) : revoked;
};

const put: Work = (x, params) => {
  const { models: desk, config } = x.runtime;
  return json(putBlob(x.request, params("sha256"), { blobs: desk.blobs, bytesMax: config.MODEL_BYTES_MAX }));
};

/** A HEAD is routed as the GET that it asks about. */
const get: Work = async (x, params) => {
  const blob = await getBlob(params("sha256"), x.request.method === "HEAD", x.runtime.models.blobs);
  if (!blob.ok) return blob;
  const headers = { "Content-Type": "application/octet-stream", "Content-Length": String(blob.value.bytes) };
  return ok({ status: 200, body: blob.value.body ?? null, headers });
};

const fetchPackage: Work = async (x, params) => {
  const document = await models.packageOf(params("digest"), x.runtime.models);
  return document.ok ? ok(jsonText(document.value)) : document;
};

const register: BodyWork = async (body, x, params) => {
  const registered = await registerPackage(params("model"), body, x.runtime.models);
  return registered.ok ? ok(jsonReply(registered.value, registered.value.created ? 201 : 200)) : registered;
};

const setState =
  (state: "ready" | "unloaded"): Work =>
  (x, params) =>
    json(models.setState(params("model"), params("version"), state, x.runtime.models));

const startARollout: BodyWork = (body, x, params) => json(startRollout(params("model"), body, x.runtime.rollouts), 201);

const showARollout: Work = (x, params) => json(showRollout(params("model"), x.runtime.rollouts));

const endARollout =
  (outcome: Parameters<typeof endRollout>[1]): Work =>
  (x, params) =>
    json(endRollout(params("model"), outcome, x.runtime.rollouts));

const audit: Work = (x) => json(readAudit(new URL(x.request.url).searchParams, x.runtime.models.registry));

async function cacheChange(work: ReturnType<typeof cache.purgeCache>): Promise<Result<Reply>> {
  const done = await work;
  return done.ok ? ok(jsonReply({ number: done.value.number }, cache.statusOf(done.value))) : done;
}

function cachePolicyRoutes(of: cache.PolicyOwner["of"], path: string): readonly OperatorRoute[] {
  const owner = (params: Params) => ({ of, name: params(of) });
  return [
    operate("GET", path, (x, params) => json(cache.showPolicy(owner(params), x.runtime.cache))),
    operateOn("PUT", path, (body, x, params) => json(cache.setCachePolicy(owner(params), body, x.runtime.cache))),
    operate("DELETE", path, (x, params) => json(cache.removeCachePolicy(owner(params), x.runtime.cache))),
  ];
}

const tenantCache = "/tenants/:tenant/cache";

/** The answer cache's rules, purges and keys. */
const cacheRoutes: readonly OperatorRoute[] = [
  operate("GET", "/cache", (x) => json(cache.showCache(x.runtime.cache))),
  operateOn("POST", "/cache/purge", (body, x) => cacheChange(cache.purgeCache(body, x.runtime.cache))),
  ...cachePolicyRoutes("model", "/models/:model/cache"),
  ...cachePolicyRoutes("tenant", tenantCache),
  operate("GET", `${tenantCache}/keys`, (x, params) => json(cache.listKeys(params("tenant"), x.runtime.cache))),
  operate("POST", `${tenantCache}/keys/rotate`, (x, params) =>
    cacheChange(cache.changeKeys("rotate-keys", params("tenant"), x.runtime.cache)),
  ),
  operate("DELETE", `${tenantCache}/keys`, (x, params) =>
    cacheChange(cache.changeKeys("destroy-keys", params("tenant"), x.runtime.cache)),
  ),
];

const model = "/models/:model";
const version = `${model}/versions/:version`;

export const adminRoutes: readonly OperatorRoute[] = [
  operateOn("POST", "/keys", issue),
  operate("DELETE", "/keys/:id", revoke),
  operate("GET", "/blocks", (x) => json(listBlocks(new URL(x.request.url).searchParams, x.runtime.blockList))),
  operateOn("POST", "/blocks/lift", (body, x) => json(liftBlock(body, "operator", x.runtime.blockList))),
  operate("PUT", "/blobs/:sha256", put),
  fetchPart("/blobs/:sha256", get),
  fetchPart("/packages/:digest", fetchPackage),
  operate("GET", "/models", (x) => json(models.listModels(x.runtime.models))),
  operate("GET", model, (x, params) => json(models.showModel(params("model"), x.runtime.models))),
  operateOn("POST", `${model}/versions`, register),
  operate("GET", version, (x, params) =>
    json(models.showVersion(params("model"), params("version"), x.runtime.models)),
  ),
  operate("DELETE", version, (x, params) =>
    json(models.removeVersion(params("model"), params("version"), x.runtime.models)),
  ),
  operate("POST", `${version}/load`, setState("ready")),
  operate("POST", `${version}/unload`, setState("unloaded")),
  operateOn("PUT", `${model}/aliases/:alias`, (body, x, params) =>
    json(models.pointAlias(params("model"), params("alias"), body, x.runtime.models)),
  ),
  operate("DELETE", `${model}/aliases/:alias`, (x, params) =>
    json(models.removeAlias(params("model"), params("alias"), x.runtime.models)),
  ),
  operateOn("PUT", `${model}/policy`, (body, x, params) =>
    json(models.setPolicy(params("model"), body, x.runtime.models)),
  ),
  operateOn("PUT", `${model}/stable`, (body, x, params) =>
    json(models.setStable(params("model"), body, x.runtime.models)),
  ),
  operate("POST", `${model}/rollback`, (x, params) => json(models.rollBack(params("model"), x.runtime.models))),
  operateOn("POST", `${model}/rollout`, startARollout),
  operate("GET", `${model}/rollout`, showARollout),
  operate("POST", `${model}/rollout/promote`, endARollout("promoted")),
  operate("POST", `${model}/rollout/rollback`, endARollout("rolled-back")),
  operate("POST", `${model}/rollout/stop`, endARollout("stopped")),
  operate("GET", "/audit", audit),
  ...cacheRoutes,
];
