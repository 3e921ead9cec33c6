import { type Fault, fail, type NewKeyAnswer, ok, type Result } from "@ledge/contract";
import { parseModelRef } from "@ledge/policy";
import { type Context, Hono } from "hono";
import openapi from "../../../openapi.json";
import { readJson } from "./accept/body.ts";
import { acceptInfer, presentInference, presentOipFault, presentOipModel, presentOipServer } from "./accept/oip.ts";
import { acceptChat, presentOpenAiFault, presentOpenAiModel, presentOpenAiModels } from "./accept/openai.ts";
import { acceptPredict, presentPrediction, presentProblem } from "./accept/predict.ts";
import { admit } from "./admit/admit.ts";
import { answerChat, answerClassify, type Exchange, enter } from "./app.ts";
import { assign } from "./assign/assign.ts";
import type { GatewayEnv } from "./env.ts";
import type { DeployedModel } from "./exchange.ts";
import { admitOperator, issueKey, revokeKey } from "./operate/keys.ts";
import { jsonReply, type Reply } from "./reply.ts";

/** Which path speaks which surface. What happens between a call and its answer is in app.ts. */

export type GatewayContext = Context<{ Bindings: GatewayEnv; Variables: { x: Exchange } }>;
type Answer = Result<Reply>;
type Handler = (x: Exchange, c: GatewayContext) => Promise<Answer> | Answer;

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

/** Answers about models, for callers who may call them; a look costs a request like any other. */
function lookUp(present: (model: DeployedModel, all: readonly DeployedModel[]) => Reply): Handler {
  return async (x, c) => {
    const admission = await admit(x.request, x.runtime.identity, x.runtime.limit, x.trail, x.waitUntil);
    if (!admission.ok) return admission;
    const name = c.req.param("model") ?? "";
    const asked = c.req.param("version");
    const ref = parseModelRef(asked === undefined ? name : `${name}@${asked}`);
    if (ref === undefined) return fail("model_not_found");
    const model = assign(x.runtime.models, ref);
    return model.ok ? ok(present(model.value, x.runtime.models)) : model;
  };
}

const listModels =
  (present: (models: readonly DeployedModel[]) => Reply): Handler =>
  async (x) => {
    const admission = await admit(x.request, x.runtime.identity, x.runtime.limit, x.trail, x.waitUntil);
    return admission.ok ? ok(present(x.runtime.models)) : admission;
  };

/** Ready while the edge can answer: an origin that is down takes only its own models away. */
const ready: Handler = async (x) => {
  const { tiers, nowMs } = x.runtime;
  const journey = { requestId: x.requestId, deadlineMs: nowMs() + readyTimeoutMs, signal: x.request.signal };
  const [edge, origin] = await Promise.all([tiers.edge.ready(journey), tiers.origin.ready(journey)]);
  return ok(jsonReply({ ready: edge, edge, origin }, edge ? 200 : 503));
};

const issue: Handler = async (x) => {
  const { desk, config } = x.runtime;
  const operator = admitOperator(x.request, desk);
  if (!operator.ok) return operator;
  const body = await readJson(x.request, config.BODY_BYTES_MAX);
  if (!body.ok) return body;
  const issued: Result<NewKeyAnswer> = await issueKey(body.value, desk);
  return issued.ok ? ok(jsonReply(issued.value, 201)) : issued;
};

const revoke: Handler = async (x, c) => {
  const operator = admitOperator(x.request, x.runtime.desk);
  if (!operator.ok) return operator;
  const revoked = await revokeKey(c.req.param("id") ?? "", x.runtime.desk);
  return revoked.ok ? ok(jsonReply({ revoked: revoked.value.id })) : revoked;
};

const oipModel = (present: Parameters<typeof lookUp>[0]) => lookUp(present);
const modelReady = oipModel((model) => jsonReply({ name: model.name, ready: true }));
const oipList = listModels((models) => jsonReply({ models: [...new Set(models.map(({ name }) => name))] }));

const table: readonly (readonly ["GET" | "POST" | "DELETE", string, Handler])[] = [
  ["POST", "/v1/predict", predict],
  ["POST", "/v1/chat/completions", chat],
  ["GET", "/v1/models", listModels(presentOpenAiModels)],
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
  ["POST", "/admin/v1/keys", issue],
  ["DELETE", "/admin/v1/keys/:id", revoke],
  ["GET", "/healthz", () => ok(jsonReply({ alive: true }))],
  ["GET", "/readyz", ready],
  ["GET", "/openapi.json", () => ok(jsonReply(openapi))],
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
