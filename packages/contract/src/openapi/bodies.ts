import * as z from "zod/mini";
import type { ChatChunk, ChatCompletion } from "../chat.ts";
import { type ErrorCode, errors } from "../errors.ts";
import { prediction } from "../predict.ts";
import type { Problem } from "../problem.ts";

/** What Ledge answers, as schemas for the description. The types that the code answers with hold them true. */

const tier = z.enum(["edge", "origin"]);
const int = z.int();

export const predictResponse = z.object({
  id: z.string(),
  model: z.string(),
  version: z.string(),
  tier,
  /** One prediction when `input` was one text, a list in the texts' order when it was a list. */
  output: z.union([prediction, z.array(prediction)]),
  usage: z.object({ input_tokens: int }),
});

const usage = z.object({ prompt_tokens: int, completion_tokens: int, total_tokens: int });
const finishReason = z.enum(["stop", "length", "tool_calls", "content_filter"]);

export const chatCompletion: z.ZodMiniType<ChatCompletion> = z.object({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: int,
  model: z.string(),
  choices: z.array(
    z.object({
      index: int,
      message: z.object({ role: z.literal("assistant"), content: z.string(), refusal: z.null() }),
      logprobs: z.null(),
      finish_reason: finishReason,
    }),
  ),
  usage,
});

export const chatChunk: z.ZodMiniType<ChatChunk> = z.object({
  id: z.string(),
  object: z.literal("chat.completion.chunk"),
  created: int,
  model: z.string(),
  choices: z.array(
    z.object({
      index: int,
      delta: z.object({ role: z.exactOptional(z.literal("assistant")), content: z.exactOptional(z.string()) }),
      logprobs: z.null(),
      finish_reason: z.nullable(finishReason),
    }),
  ),
  usage: z.exactOptional(z.nullable(usage)),
});

export const openAiModel = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: int,
  owned_by: z.string(),
  version: z.string(),
});
export const openAiModels = z.object({ object: z.literal("list"), data: z.array(openAiModel) });

const described = z.object({ name: z.string(), datatype: z.string(), shape: z.array(int) });
const valued = z.object({ name: z.string(), datatype: z.string(), shape: z.array(int), data: z.array(z.unknown()) });

export const oipServer = z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) });
export const oipModels = z.object({ models: z.array(z.string()) });
export const oipModel = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(described),
  outputs: z.array(described),
});
export const oipInference = z.object({
  model_name: z.string(),
  model_version: z.string(),
  id: z.optional(z.string()),
  outputs: z.array(valued),
});

const tensorConfig = z.looseObject({ name: z.string(), data_type: z.string(), dims: z.array(int) });
/** Triton's ModelConfig, the members that mean something here. */
export const oipConfig = z.looseObject({
  name: z.string(),
  max_batch_size: int,
  input: z.array(tensorConfig),
  output: z.array(tensorConfig),
});

const duration = z.object({ count: int, ns: z.number() });
const computing = { compute_input: duration, compute_infer: duration, compute_output: duration };
export const oipStatistics = z.object({
  model_stats: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      last_inference: int,
      /** Rows and runs of the graph: cache hits are in neither. */
      inference_count: int,
      execution_count: int,
      inference_stats: z.object({
        success: duration,
        fail: duration,
        queue: duration,
        ...computing,
        cache_hit: duration,
        cache_miss: duration,
      }),
      batch_stats: z.array(z.object({ batch_size: int, ...computing })),
    }),
  ),
});

export const oipIndex = z.array(
  z.object({ name: z.string(), version: z.string(), state: z.enum(["READY", "UNAVAILABLE"]), reason: z.string() }),
);

export const generated = z.object({
  id: z.optional(z.string()),
  model_name: z.string(),
  model_version: z.string(),
  text_output: z.string(),
});

export const embeddings = z.object({
  object: z.literal("list"),
  data: z.array(
    z.object({ object: z.literal("embedding"), index: int, embedding: z.union([z.array(z.number()), z.string()]) }),
  ),
  model: z.string(),
  usage: z.object({ prompt_tokens: int, total_tokens: int }),
});

export const live = z.object({ live: z.boolean() });
export const alive = z.object({ alive: z.boolean() });
export const ready = z.object({ ready: z.boolean(), edge: z.boolean(), origin: z.boolean() });
export const modelReady = z.object({ name: z.string(), ready: z.boolean() });

export const errorCode = z.enum(Object.keys(errors) as [ErrorCode, ...ErrorCode[]]);

export const openAiError = z.object({
  error: z.object({ message: z.string(), type: z.string(), code: errorCode, param: z.nullable(z.string()) }),
});
/** `error` is all that clients of the protocol read, so the code stands in front of its sentence too. */
export const oipError = z.object({ error: z.string(), code: errorCode });
export const problem: z.ZodMiniType<Problem> = z.object({
  type: z.string(),
  title: z.string(),
  status: int,
  code: errorCode,
  retryable: z.boolean(),
  detail: z.exactOptional(z.string()),
  issues: z.exactOptional(z.array(z.object({ path: z.string(), message: z.string() }))),
  request_id: z.exactOptional(z.string()),
});
