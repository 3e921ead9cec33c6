import * as z from "zod/mini";

/**
 * `POST /v2/models/{model}/generate` and `…/generate_stream`, for language models. Parameters are those of a chat
 * (`max_tokens`, `temperature`, `top_p`, `seed`, `stop`), in `parameters` or, as Triton's clients may send them, beside it.
 */
export const generateRequest = z.looseObject({
  id: z.optional(z.string().check(z.maxLength(128))),
  text_input: z.string().check(z.minLength(1)),
  parameters: z.optional(z.looseObject({})),
});
export type GenerateRequest = z.infer<typeof generateRequest>;
