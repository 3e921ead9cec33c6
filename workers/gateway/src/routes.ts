import { type Fault, fail, ok, type Result } from "@ledge/contract";
import { type Context, Hono } from "hono";
import openapi from "../../../openapi.json";
import operatorOpenapi from "../../../openapi-operator.json";
import { readJson } from "./accept/body.ts";
import { acceptEmbeddings, embeddingCalls, presentEmbeddings } from "./accept/embeddings.ts";
import { presentOipFault } from "./accept/oip/metadata.ts";
import {
  acceptChat,
  chatCallOf,
  presentOpenAiFault,
  presentOpenAiModel,
  presentOpenAiModels,
} from "./accept/openai.ts";
import { acceptPredict, predictCallOf, presentPrediction, presentProblem } from "./accept/predict.ts";
import { adminRoutes } from "./admin-routes.ts";
import { admit } from "./admit/admit.ts";
import { answerClassify, type Exchange, enter, jsonSurface } from "./app.ts";
import { answerChat } from "./app-chat.ts";
import { deployedModels, stableModels } from "./assign/view.ts";
import type { GatewayEnv } from "./env.ts";
import type { Trail } from "./exchange.ts";
import { listModels, lookUp, ready } from "./look-up.ts";
import { countsOf } from "./observe/counts.ts";
import { takeFeedback } from "./observe/feedback.ts";
import { presentMetrics } from "./observe/metrics.ts";
import { oipRoutes, unsupported, unsupportedPaths } from "./oip-routes.ts";
import { admitOperator } from "./operate/operator.ts";
import { jsonReply, type Reply } from "./reply.ts";

/** Which path speaks which surface. What happens between a call and its answer is in app.ts. */

export type GatewayContext = Context<{ Bindings: GatewayEnv; Variables: { x: Exchange } }>;
export type Answer = Result<Reply>;
export type Handler = (x: Exchange, c: GatewayContext) => Promise<Answer> | Answer;
export type Route = readonly [method: "GET" | "POST" | "PUT" | "DELETE", path: string, handler: Handler];

const version = openapi.info.version;

const predict: Handler = async (x) => {
  const entered = await enter(x, jsonSurface(acceptPredict, predictCallOf));
  if (!entered.ok) return entered;
  const { accepted, model } = entered.value;
  const answer = await answerClassify(x, entered.value);
  return answer.ok ? ok(presentPrediction(accepted, answer.value, model, x.requestId)) : answer;
};

const chat: Handler = async (x) => {
  const entered = await enter(x, jsonSurface(acceptChat, chatCallOf));
  return entered.ok ? await answerChat(x, entered.value) : entered;
};

/** More texts than a call takes are asked one call after the other, and counted as one. */
const embeddings: Handler = async (x) => {
  const entered = await enter(x, jsonSurface(acceptEmbeddings, embeddingCalls));
  if (!entered.ok) return entered;
  const { accepted, model, call: calls } = entered.value;
  const vectors: (readonly number[])[] = [];
  let inputTokens = 0;
  let asked: Pick<Trail, "cache" | "work"> | undefined;
  for (const call of calls) {
    const answer = await answerClassify(x, { ...entered.value, call });
    if (!answer.ok) return answer;
    const { cache, work } = x.trail;
    if (cache?.kind !== "hit" && work !== undefined) {
      asked = { ...(cache && { cache }), work: { ...work, rows: work.rows + (asked?.work?.rows ?? 0) } };
    }
    vectors.push(...answer.value.answer.predictions.map(({ embedding }) => embedding ?? []));
    inputTokens += answer.value.answer.inputTokens;
  }
  Object.assign(x.trail, asked);
  return ok(presentEmbeddings(accepted, vectors, inputTokens, model));
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

/** For Prometheus: what it may see of all models takes the operator's key. */
const metrics: Handler = async (x) => {
  const operator = admitOperator(x.request, x.runtime.gatekeeper);
  if (!operator.ok) return operator;
  const models = deployedModels(await x.runtime.catalog.view(x.waitUntil));
  const counted = await countsOf(models, x.runtime.counter);
  if (!counted.ok) return counted;
  return ok(presentMetrics(counted.value));
};

const table: readonly Route[] = [
  ["POST", "/v1/predict", predict],
  ["POST", "/v1/chat/completions", chat],
  ["POST", "/v1/embeddings", embeddings],
  ["POST", "/v1/feedback", feedback],
  ["GET", "/v1/models", listModels((view) => presentOpenAiModels(stableModels(view)))],
  ["GET", "/v1/models/:model", lookUp((model) => jsonReply(presentOpenAiModel(model)))],
  ...oipRoutes(version),
  ...adminRoutes,
  ["GET", "/healthz", () => ok(jsonReply({ alive: true }))],
  ["GET", "/readyz", ready],
  ["GET", "/metrics", metrics],
  ["GET", "/openapi.json", () => ok(jsonReply(openapi))],
  ["GET", "/admin/openapi.json", () => ok(jsonReply(operatorOpenapi))],
];

/** The error shape of the surface that a path belongs to. */
export function presentFault(fault: Fault, path: string, requestId: string): Reply {
  if (path === "/v2" || path.startsWith("/v2/")) return presentOipFault(fault);
  if (
    path.startsWith("/v1/chat/") ||
    path === "/v1/embeddings" ||
    path === "/v1/models" ||
    path.startsWith("/v1/models/")
  )
    return presentOpenAiFault(fault);
  return presentProblem(fault, requestId);
}

/** Builds the router. `answer` runs a handler and turns its fault into the surface's error. */
export function route(answer: (c: GatewayContext, handler: Handler) => Promise<Response>) {
  const router = new Hono<{ Bindings: GatewayEnv; Variables: { x: Exchange } }>();
  for (const [method, path, handler] of table) router.on(method, path, (c) => answer(c, handler));
  for (const path of unsupportedPaths) router.all(path, (c) => answer(c, unsupported));
  const paths = new Set(table.map(([, path]) => path));
  for (const path of paths) router.all(path, (c) => answer(c, () => fail("method_not_allowed")));
  router.notFound((c) => answer(c as GatewayContext, () => fail("not_found")));
  return router;
}
