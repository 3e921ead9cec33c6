import { type Fault, fail, ok } from "@ledge/contract";
import { type CacheOutcome, joinedOutcome, parseModelRef, type Work } from "@ledge/policy";
import { info } from "../../../openapi.json";
import { readSizedJson } from "./accept/body.ts";
import { acceptEmbeddings, embeddingCalls, presentEmbeddings } from "./accept/embeddings.ts";
import { presentOipFault } from "./accept/oip/metadata.ts";
import {
  acceptChat,
  boundOutput,
  chatCallOf,
  outputTokensMax,
  presentOpenAiFault,
  presentOpenAiModel,
  presentOpenAiModels,
} from "./accept/openai.ts";
import { acceptPredict, predictCallOf, presentPrediction, presentProblem } from "./accept/predict.ts";
import { admit } from "./admit/admit.ts";
import { answerClassify, enter, jsonSurface } from "./app.ts";
import { answerChat } from "./app-chat.ts";
import { promptOfChat, promptOfInputs } from "./app-count.ts";
import { jobs, orJob } from "./app-jobs.ts";
import { stableModels } from "./assign/view.ts";
import { etagOf } from "./cache/etag.ts";
import { takeWrongHit } from "./cache/semantic/wrong-hit.ts";
import type { Trail } from "./exchange.ts";
import { listModels, lookUp, ready } from "./look-up.ts";
import { takeFeedback } from "./observe/feedback.ts";
import { oipRoutes } from "./oip-routes.ts";
import { passedOn } from "./pass-on.ts";
import { jsonReply, type Reply } from "./reply.ts";
import type { Handler, Route } from "./serve.ts";

/** Which path speaks which surface. What happens between a call and its answer is in app.ts. */

const predict: Handler = async (x) => {
  const entered = await enter(
    x,
    jsonSurface({ action: "infer", accept: acceptPredict, callOf: predictCallOf, promptOf: promptOfInputs }),
  );
  if (!entered.ok) return entered;
  const { accepted, model } = entered.value;
  const answer = await answerClassify(x, entered.value);
  return answer.ok ? ok(presentPrediction(accepted, answer.value, model, x.requestId)) : answer;
};

const chat: Handler = async (x) => {
  const entered = await enter(
    x,
    jsonSurface({
      action: "chat",
      accept: acceptChat,
      outputTokensMax,
      boundOutput,
      callOf: chatCallOf,
      promptOf: promptOfChat,
    }),
  );
  return entered.ok ? await answerChat(x, entered.value) : entered;
};

/** More texts than a call takes are asked one call after the other, and counted as one. */
const embeddings: Handler = async (x) => {
  const entered = await enter(
    x,
    jsonSurface({
      action: "embed",
      accept: acceptEmbeddings,
      callOf: embeddingCalls,
      promptOf: (calls) => promptOfInputs({ inputs: calls.flatMap(({ inputs }) => inputs) }),
    }),
  );
  if (!entered.ok) return entered;
  const { accepted, model, call: calls } = entered.value;
  const vectors: (readonly number[])[] = [];
  let inputTokens = 0;
  const outcomes: CacheOutcome[] = [];
  let work: Work | undefined;
  for (const call of calls) {
    const answer = await answerClassify(x, { ...entered.value, call });
    if (!answer.ok) return answer;
    if (x.trail.cache !== undefined) outcomes.push(x.trail.cache);
    work = joinedWork(work, takeWork(x.trail));
    vectors.push(...answer.value.answer.predictions.map(({ embedding }) => embedding ?? []));
    inputTokens += answer.value.answer.inputTokens;
  }
  const tags = outcomes.flatMap(({ etag }) => etag ?? []);
  const etag = tags.length === calls.length ? etagOf(tags.join(), x.runtime.digests) : undefined;
  const cache = joinedOutcome(outcomes, etag);
  if (cache !== undefined) x.trail.cache = cache;
  if (work !== undefined) x.trail.work = work;
  return ok(presentEmbeddings(accepted, vectors, inputTokens, model));
};

/** What a tier did for one part of a call. */
function takeWork(trail: Trail): Work | undefined {
  const { work } = trail;
  delete trail.work;
  return work;
}

function joinedWork(before: Work | undefined, more: Work | undefined): Work | undefined {
  return before === undefined || more === undefined ? (more ?? before) : { ...more, rows: more.rows + before.rows };
}

/** Any caller may rate an answer; a rating costs a request like any other. */
const feedback: Handler = async (x) => {
  const { config, gate, catalog, counter } = x.runtime;
  const body = await readSizedJson(x.request, config.BODY_BYTES_MAX);
  if (!body.ok) return body;
  const demand = { action: "feedback", inputBytes: body.value.bytes } as const;
  const admitted = await admit(x.request, demand, gate, x.trail, x.waitUntil);
  if (!admitted.ok) return admitted;
  const { models } = await catalog.view(x.waitUntil);
  const taken = await takeFeedback(body.value.value, admitted.value.tenant, (name) => models.get(name)?.model, counter);
  return taken.ok ? ok(jsonReply(taken.value, 202)) : taken;
};

/** A wrong hit is reported by who got it: another tenant's entry has another name, and stays. */
const wrongHit: Handler = async (x) => {
  const { config, gate, catalog, cacheRules, entryPurger, tallies } = x.runtime;
  const body = await readSizedJson(x.request, config.BODY_BYTES_MAX);
  if (!body.ok) return body;
  const demand = { action: "feedback", inputBytes: body.value.bytes } as const;
  const admitted = await admit(x.request, demand, gate, x.trail, x.waitUntil);
  if (!admitted.ok) return admitted;
  const taken = await takeWrongHit(body.value.value, admitted.value.tenant, entryPurger);
  if (!taken.ok) return taken;
  await cacheRules.catchUp();
  const ref = parseModelRef(taken.value.model ?? "");
  const model = ref && (await catalog.view(x.waitUntil)).models.get(ref.name)?.callable.get(ref.version ?? "");
  if (model !== undefined) {
    const { name, version } = model;
    tallies.recordCacheEvent({ model: name, version, arm: undefined }, "feedback-wrong", x.waitUntil);
  }
  return ok(jsonReply({ removed: true }, 202));
};

/** A key sees what it used itself, a token's user that user's; who may read as an operator does, the whole tenant. */
const usage: Handler = async (x) => {
  const { gate, accounts, ledger } = x.runtime;
  const admitted = await admit(x.request, { inputBytes: 0 }, gate, x.trail, x.waitUntil);
  if (!admitted.ok) return admitted;
  const { tenant, keyId: key, user = "", scopes } = admitted.value;
  const whole = scopes.some(({ actions }) => actions.includes("admin-read"));
  const own = key === undefined ? { user } : { key };
  try {
    await accounts.flush();
    const report = await ledger.usage(tenant, new URL(x.request.url).search, whole ? {} : own);
    if (!report.ok) return report;
    return ok({ status: 200, body: report.value.text, headers: { "Content-Type": report.value.type } });
  } catch (error) {
    return fail("ledger_unavailable", { cause: String(error) });
  }
};

export const routes: readonly Route[] = [
  ["POST", "/v1/predict", orJob(predict)],
  ["POST", "/v1/chat/completions", orJob(chat)],
  ["POST", "/v1/embeddings", orJob(embeddings)],
  ["POST", "/v1/feedback", feedback],
  ["POST", "/v1/cache/feedback", wrongHit],
  ["GET", "/v1/usage", usage],
  ["GET", "/v1/jobs", jobs],
  ["GET", "/v1/jobs/:job", jobs],
  ["DELETE", "/v1/jobs/:job", jobs],
  ["GET", "/v1/models", listModels((view) => presentOpenAiModels(stableModels(view)))],
  ["GET", "/v1/models/:model", lookUp((model) => jsonReply(presentOpenAiModel(model)))],
  ...oipRoutes(info.version),
  ["GET", "/healthz", () => ok(jsonReply({ alive: true }))],
  ["GET", "/readyz", ready],
  ...passedOn,
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
