import { batchMax, embeddingsRequest, fail, ok, parse, type Result } from "@ledge/contract";
import { type ModelRef, parseModelRef } from "@ledge/policy";
import { toBase64 } from "../base64.ts";
import type { ClassifyCall, DeployedModel } from "../exchange.ts";
import { jsonReply, type Reply } from "../reply.ts";
import { doesTask } from "../task.ts";

/** OpenAI's embeddings, for models that embed. */
export interface EmbeddingsAsked {
  readonly model: ModelRef;
  readonly texts: readonly string[];
  readonly base64: boolean;
  readonly dimensions?: number;
}

/** Errors: `invalid_request`, `model_not_found`. */
export function acceptEmbeddings(body: unknown): Result<EmbeddingsAsked> {
  const request = parse(embeddingsRequest, body);
  if (!request.ok) return request;
  const { model, input, encoding_format: format, dimensions } = request.value;
  const ref = parseModelRef(model);
  if (ref === undefined) return fail("model_not_found", { detail: "A model is named like 'embed' or 'embed@1'." });
  const texts = typeof input === "string" ? [input] : input;
  const asked = { model: ref, texts, base64: format === "base64" };
  return ok(typeof dimensions === "number" ? { ...asked, dimensions } : asked);
}

/** The calls that answer it, each with as many texts as a call takes. Errors: `unsupported_task`, `unsupported_parameter`. */
export function embeddingCalls(asked: EmbeddingsAsked, model: DeployedModel): Result<readonly ClassifyCall[]> {
  const task = doesTask(model, "embedding");
  if (!task.ok) return task;
  const own = model.manifest.postprocess?.dimensions;
  if (asked.dimensions !== undefined && asked.dimensions !== own) {
    return fail("unsupported_parameter", { detail: `'${model.name}' gives ${own} dimensions and no other number.` });
  }
  const calls: ClassifyCall[] = [];
  for (let at = 0; at < asked.texts.length; at += batchMax) {
    const inputs = asked.texts.slice(at, at + batchMax);
    calls.push({ task: task.value, model: asked.model, inputs, topK: 1, logits: false });
  }
  return ok(calls);
}

export function presentEmbeddings(
  asked: EmbeddingsAsked,
  vectors: readonly (readonly number[])[],
  inputTokens: number,
  model: DeployedModel,
): Reply {
  const data = vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: asked.base64 ? toBase64(new Uint8Array(Float32Array.from(vector).buffer)) : vector,
  }));
  const usage = { prompt_tokens: inputTokens, total_tokens: inputTokens };
  return jsonReply({ object: "list", data, model: model.name, usage });
}
