import { type Fault, ok, type Result } from "@ledge/contract";
import openapi from "../../../openapi.json";
import blocksOpenapi from "../../../openapi-blocks.json";
import cacheOpenapi from "../../../openapi-cache.json";
import jobsOpenapi from "../../../openapi-jobs.json";
import keysOpenapi from "../../../openapi-keys.json";
import operatorOpenapi from "../../../openapi-operator.json";
import tenancyOpenapi from "../../../openapi-tenancy.json";
import termsOpenapi from "../../../openapi-terms.json";
import usageOpenapi from "../../../openapi-usage.json";
import { readJson } from "./accept/body.ts";
import { readInlineModel } from "./accept/oip/inline-model.ts";
import { presentOipFault } from "./accept/oip/metadata.ts";
import { acceptLoad, presentDone } from "./accept/oip/repository.ts";
import { presentProblem } from "./accept/predict.ts";
import { adminRoutes } from "./admin-routes.ts";
import { deployedModels, viewOf } from "./assign/view.ts";
import { desksOf } from "./desks.ts";
import { directoryRoutes, ownKeyRoutes } from "./directory-routes.ts";
import { countsOf } from "./observe/counts.ts";
import { presentMetrics } from "./observe/metrics.ts";
import { admitOperator } from "./operate/operator.ts";
import { reach } from "./operate/reach.ts";
import { loadModel, registerInline, unloadModel } from "./operate/repository.ts";
import type { OperatorRuntime } from "./operator-wire.ts";
import { jsonReply, type Reply } from "./reply.ts";
import type { Handler, Route } from "./serve.ts";

/** Every path of the operator Worker. The gateway passes them on by the list in `pass-on.ts`. */

type OperatorHandler = Handler<OperatorRuntime>;

/** For Prometheus: what it may see of all models takes a credential of the operator's. */
const metrics: OperatorHandler = async (x) => {
  const { gatekeeper, models, counter, blockList } = x.runtime;
  const operator = await admitOperator(x.request, "models:read", gatekeeper);
  if (!operator.ok) return operator;
  const snapshot = await reach(() => models.registry.snapshot(), "counts_unavailable");
  if (!snapshot.ok) return snapshot;
  const counted = await countsOf(deployedModels(viewOf(snapshot.value)), counter);
  if (!counted.ok) return counted;
  const blocks = await reach(() => blockList.counts(), "counts_unavailable");
  return blocks.ok ? ok(presentMetrics(counted.value, blocks.value)) : blocks;
};

/** A model comes whole in one request, and is held in memory three times over while it is read. Bytes. */
const inlineBytesMax = 24 * 1024 * 1024;

/** Loading changes what everybody is served, so it takes a credential of the operator's. */
const load: OperatorHandler = async (x, c) => {
  const operator = await admitOperator(x.request, "models:write", x.runtime.gatekeeper);
  if (!operator.ok) return operator;
  const body = await readJson(x.request, Math.min(inlineBytesMax, x.runtime.config.MODEL_BYTES_MAX));
  if (!body.ok) return body;
  const asked = acceptLoad(body.value);
  if (!asked.ok) return asked;
  const name = c.param("model") ?? "";
  const { models } = desksOf(x.runtime, operator.value);
  if (asked.value.files.size === 0 && asked.value.config === undefined) return done(loadModel(name, models));
  const inline = readInlineModel(name, asked.value);
  return inline.ok ? await done(registerInline(name, inline.value, models)) : inline;
};

const unload: OperatorHandler = async (x, c) => {
  const operator = await admitOperator(x.request, "models:write", x.runtime.gatekeeper);
  if (!operator.ok) return operator;
  const body = await readJson(x.request, x.runtime.config.BODY_BYTES_MAX);
  if (!body.ok) return body;
  const asked = acceptLoad(body.value);
  return asked.ok ? await done(unloadModel(c.param("model") ?? "", desksOf(x.runtime, operator.value).models)) : asked;
};

async function done(work: Promise<Result<unknown>>): Promise<Result<Reply>> {
  const result = await work;
  return result.ok ? ok(presentDone()) : result;
}

const descriptions = {
  "/openapi.json": openapi,
  "/admin/openapi.json": operatorOpenapi,
  "/admin/openapi-blocks.json": blocksOpenapi,
  "/admin/openapi-cache.json": cacheOpenapi,
  "/admin/openapi-jobs.json": jobsOpenapi,
  "/admin/openapi-keys.json": keysOpenapi,
  "/admin/openapi-tenancy.json": tenancyOpenapi,
  "/admin/openapi-terms.json": termsOpenapi,
  "/admin/openapi-usage.json": usageOpenapi,
};

export const operatorRoutes: readonly Route<OperatorRuntime>[] = [
  ...adminRoutes,
  ...directoryRoutes,
  ...ownKeyRoutes,
  ["POST", "/v2/repository/models/:model/load", load],
  ["POST", "/v2/repository/models/:model/unload", unload],
  ["GET", "/metrics", metrics],
  ...Object.entries(descriptions).map(
    ([path, document]): Route<OperatorRuntime> => ["GET", path, () => ok(jsonReply(document))],
  ),
];

/** The error shape of the surface that a path belongs to. */
export function presentFault(fault: Fault, path: string, requestId: string): Reply {
  return path.startsWith("/v2/") ? presentOipFault(fault) : presentProblem(fault, requestId);
}
