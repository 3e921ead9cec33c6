import {
  type Fault,
  fail,
  ok,
  type PredictInput,
  parse,
  predictRequest,
  problemOf,
  type Result,
} from "@ledge/contract";
import { type ModelRef, parseModelRef } from "@ledge/policy";
import type { Classification, ClassifyCall, DeployedModel } from "../exchange.ts";
import { jsonReply, type Reply } from "../reply.ts";
import { stepsTask } from "../task.ts";

const topKDefault = 5;

/** Ledge's own surface: `POST /v1/predict`. */
export interface PredictExchange {
  readonly model: ModelRef;
  readonly inputs: readonly PredictInput[];
  readonly topK: number;
  /** Whether `input` was one input: then `output` is one prediction, not a list. */
  readonly single: boolean;
}

export function acceptPredict(body: unknown): Result<PredictExchange> {
  const request = parse(predictRequest, body);
  if (!request.ok) return request;
  const { model, input, options } = request.value;
  const ref = parseModelRef(model);
  if (ref === undefined) return fail("model_not_found", { detail: "A model is named like 'intent' or 'intent@1'." });
  const single = !Array.isArray(input);
  const topK = options?.top_k ?? topKDefault;
  return ok({ model: ref, inputs: single ? [input] : input, topK, single });
}

/** Errors: `unsupported_task`. */
export function predictCallOf(
  { model: ref, inputs, topK }: PredictExchange,
  model: DeployedModel,
): Result<ClassifyCall> {
  const task = stepsTask(model);
  return task.ok ? ok({ task: task.value, model: ref, inputs, topK, logits: false }) : task;
}

export function presentPrediction(
  { single }: PredictExchange,
  { answer, tier }: Classification,
  model: DeployedModel,
  requestId: string,
): Reply {
  const output = single ? answer.predictions[0] : answer.predictions;
  const usage = { input_tokens: answer.inputTokens };
  return jsonReply({ id: requestId, model: model.name, version: model.version, tier, output, usage });
}

/** RFC 9457 problem details: the error shape of every path that is neither OpenAI's nor the Open Inference Protocol's. */
export function presentProblem(fault: Fault, requestId: string): Reply {
  const problem = problemOf(fault, requestId);
  const headers = { "Content-Type": "application/problem+json" };
  return { status: problem.status, body: JSON.stringify(problem), headers };
}
