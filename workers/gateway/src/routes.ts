import { type Fault, fail, ok, type Result } from "@ledge/contract";
import { parseModelRef } from "@ledge/policy";
import { type Context, Hono } from "hono";
import openapi from "../../../openapi.json";
import operatorOpenapi from "../../../openapi-operator.json";
import { readJson } from "./accept/body.ts";
import { acceptInfer, presentInference, presentOipFault, presentOipModel, presentOipServer } from "./accept/oip.ts";
import { acceptChat, presentOpenAiFault, presentOpenAiModel, presentOpenAiModels } from "./accept/openai.ts";
import { acceptPredict, presentPrediction, presentProblem } from "./accept/predict.ts";
import { adminRoutes } from "./admin-routes.ts";
import { admit } from "./admit/admit.ts";
import { answerChat, answerClassify, type Exchange, enter } from "./app.ts";
import { assign } from "./assign/assign.ts";
import { type CatalogView, deployedModels, stableModels } from "./assign/view.ts";
import type { GatewayEnv } from "./env.ts";
import type { DeployedModel } from "./exchange.ts";
import { takeFeedback } from "./observe/feedback.ts";
import { jsonReply, type Reply } from "./reply.ts";

/** Which path speaks which surface. What happens between a call and its answer is in app.ts. */

export type GatewayContext = Context<{ Bindings: GatewayEnv; Variables: { x: Exchange } }>;
type Answer = Result<Reply>;
type Handler = (x: Exchange, c: GatewayContext) => Promise<Answer> | Answer;
export type Route = readonly [method: "GET" | "POST" | "PUT" | "DELETE", path: string, handler: Handler];

const version = openapi.info.version;
const readyTimeoutMs = 3_000;

const predict: Handler = async (x) => {
  const entered = await enter(x, acceptPredict, (accepted) => accepted.call);
  if (!entered.ok) return entered;
  const { accepted, model } = entered.value;
  const answer = await answerClassify(x, entered.value);
  return answer.ok ? ok(presentPrediction(accepted, answer.value, model, x.requestId)) : answer;
};

const infer: Handler = async (x, c) => {
  const read = (body: unknown) => acceptInfer(c.req.param("model") ?? "", c.req.param("version"), body);
  const entered = await enter(x, read, (accepted) => accepted.call);
  if (!entered.ok) return entered;
  const answer = await answerClassify(x, entered.value);
  return answer.ok ? ok(presentInference(entered.value.accepted, answer.value, entered.value.model)) : answer;
};

const chat: Handler = async (x) => {
  const entered = await enter(x, acceptChat, (call) => call);
  return entered.ok ? await answerChat(x, entered.value) : entered;
};

/** Any caller may rate an answer; a rating costs a request like any other. */
const feedback: Handler = async (x) => {
  const { config, identity, limit, catalog, counter } = x.runtime;
  const body = await readJson(x.request, config.BODY_BYTES_MAX);
  if (!body.ok) return body;
  const admission = await admit(x.request, identity, limit, x.trail, x.waitUntil);
  if (!admission.ok) return admission;
  const { models } = await catalog.view(x.waitUntil);
  const taken = await takeFeedback(body.value, (name) => models.get(name)?.model, counter);
  return taken.ok ? ok(jsonReply(taken.value, 202)) : taken;
};

/** Answers about models, for callers who may call them; a look costs a request like any other. */
function lookUp(present: (model: DeployedModel, all: readonly DeployedModel[]) => Reply): Handler {
  return async (x, c) => {
    const admission = await admit(x.request, x.runtime.identity, x.runtime.limit, x.trail, x.waitUntil);
    if (!admission.ok) return admission;
    const name = c.req.param("model") ?? "";
    const asked = c.req.param("version");
    const ref = parseModelRef(asked === undefined ? name : `${name}@${asked}`);
    if (ref === undefined) return fail("model_not_found");
    const view = await x.runtime.catalog.view(x.waitUntil);
    const assigned = assign(view, ref);
    return assigned.ok ? ok(present(assigned.value.model, deployedModels(view))) : assigned;
  };
}

const listModels =
  (present: (view: CatalogView) => Reply): Handler =>
  async (x) => {
    const admission = await admit(x.request, x.runtime.identity, x.runtime.limit, x.trail, x.waitUntil);
    return admission.ok ? ok(present(await x.runtime.catalog.view(x.waitUntil))) : admission;
  };

/** Ready while the edge can answer: an origin that is down takes only its own models away. */
const ready: Handler = async (x) => {
  const { tiers, nowMs } = x.runtime;
  const journey = { requestId: x.requestId, deadlineMs: nowMs() + readyTimeoutMs, signal: x.request.signal };
  const [edge, origin] = await Promise.all([tiers.edge.ready(journey), tiers.origin.ready(journey)]);
  return ok(jsonReply({ ready: edge, edge, origin }, edge ? 200 : 503));
};

const oipModel = (present: Parameters<typeof lookUp>[0]) => lookUp(present);
const modelReady = oipModel((model) => jsonReply({ name: model.name, ready: true }));
const oipList = listModels(({ models }) => jsonReply({ models: [...models.keys()] }));

const table: readonly Route[] = [
  ["POST", "/v1/predict", predict],
  ["POST", "/v1/chat/completions", chat],
  ["POST", "/v1/feedback", feedback],
  ["GET", "/v1/models", listModels((view) => presentOpenAiModels(stableModels(view)))],
  ["GET", "/v1/models/:model", lookUp((model) => jsonReply(presentOpenAiModel(model)))],
  ["GET", "/v2", () => ok(presentOipServer(version))],
  ["GET", "/v2/health/live", () => ok(jsonReply({ live: true }))],
  ["GET", "/v2/health/ready", ready],
  ["GET", "/v2/models", oipList],
  ["GET", "/v2/models/:model", oipModel(presentOipModel)],
  ["GET", "/v2/models/:model/ready", modelReady],
  ["POST", "/v2/models/:model/infer", infer],
  ["GET", "/v2/models/:model/versions/:version", oipModel(presentOipModel)],
  ["GET", "/v2/models/:model/versions/:version/ready", modelReady],
  ["POST", "/v2/models/:model/versions/:version/infer", infer],
  ...adminRoutes,
  ["GET", "/healthz", () => ok(jsonReply({ alive: true }))],
  ["GET", "/readyz", ready],
  ["GET", "/openapi.json", () => ok(jsonReply(openapi))],
  ["GET", "/admin/openapi.json", () => ok(jsonReply(operatorOpenapi))],
];

/** The error shape of the surface that a path belongs to. */
export function presentFault(fault: Fault, path: string, requestId: string): Reply {
  if (path === "/v2" || path.startsWith("/v2/")) return presentOipFault(fault);
  if (path.startsWith("/v1/chat/") || path === "/v1/models" || path.startsWith("/v1/models/"))
    return presentOpenAiFault(fault);
  return presentProblem(fault, requestId);
}

/** Builds the router. `answer` runs a handler and turns its fault into the surface's error. */
export function route(answer: (c: GatewayContext, handler: Handler) => Promise<Response>) {
  const router = new Hono<{ Bindings: GatewayEnv; Variables: { x: Exchange } }>();
  for (const [method, path, handler] of table) router.on(method, path, (c) => answer(c, handler));
  const paths = new Set(table.map(([, path]) => path));
  for (const path of paths) router.all(path, (c) => answer(c, () => fail("method_not_allowed")));
  router.notFound((c) => answer(c as GatewayContext, () => fail("not_found")));
  return router;
}
