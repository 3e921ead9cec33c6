import * as z from "zod/mini";

/** `POST /v1/completions` (OpenAI), answered by engines that are servers of their own. Unknown members pass through to them. */
export const completionRequest = z.looseObject({
  model: z.string().check(z.minLength(1), z.maxLength(128)),
  /** Texts only: token ids are another model's. */
  prompt: z.union([z.string(), z.array(z.string()).check(z.minLength(1), z.maxLength(64))]),
  stream: z.optional(z.nullable(z.boolean())),
  stream_options: z.optional(z.nullable(z.looseObject({ include_usage: z.optional(z.boolean()) }))),
});
export type CompletionRequest = z.infer<typeof completionRequest>;
