import * as z from "zod/mini";
import { textCharsMax } from "./predict.ts";

/** Texts in one call, as OpenAI has it. */
export const embeddingTextsMax = 2048;

const text = z.string().check(z.maxLength(textCharsMax));

/** `POST /v1/embeddings` (OpenAI). Texts only: token ids are another model's. */
export const embeddingsRequest = z.looseObject({
  model: z.string().check(z.minLength(1), z.maxLength(128)),
  input: z.union([text, z.array(text).check(z.minLength(1), z.maxLength(embeddingTextsMax))]),
  /** `base64`: the vector's FP32 bytes, little-endian. Default `float`. */
  encoding_format: z.optional(z.nullable(z.enum(["float", "base64"]))),
  /** Only the model's own number of dimensions. */
  dimensions: z.optional(z.nullable(z.int().check(z.gte(1)))),
  user: z.optional(z.nullable(z.string())),
});
export type EmbeddingsRequest = z.infer<typeof embeddingsRequest>;
