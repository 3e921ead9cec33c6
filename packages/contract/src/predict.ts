import * as z from "zod/mini";
import type { Result } from "./result.ts";

/** Texts one call may carry. */
export const batchMax = 64;
/** UTF-16 code units in one text. */
export const textCharsMax = 8192;

const text = z.string().check(z.maxLength(textCharsMax));

/** `POST /v1/predict`. `model` is `name` or `name@version`. */
export const predictRequest = z.strictObject({
  model: z.string().check(z.minLength(1), z.maxLength(128)),
  input: z.union([text, z.array(text).check(z.minLength(1), z.maxLength(batchMax))]),
  options: z.optional(
    z.strictObject({
      /** How many labels to return per text, best first. Default 5. */
      top_k: z.optional(z.int().check(z.gte(1), z.lte(1000))),
    }),
  ),
});
export type PredictRequest = z.infer<typeof predictRequest>;

/** What a tier is asked: the same over RPC to the inference Worker and, as JSON, to the origin. */
export const predictCall = z.strictObject({
  model: z.string(),
  version: z.string(),
  texts: z.array(text).check(z.minLength(1), z.maxLength(batchMax)),
  topK: z.int().check(z.gte(1), z.lte(1000)),
  /** Whether raw logits are wanted beside the labels. */
  logits: z.boolean(),
});
export type PredictCall = z.infer<typeof predictCall>;

const scoredLabel = z.object({ label: z.string(), score: z.number() });

export const prediction = z.object({
  label: z.string(),
  /** Softmax probability of `label`, 0 to 1. */
  score: z.number(),
  /** The best `topK` labels, best first. */
  top: z.array(scoredLabel),
  logits: z.optional(z.array(z.number())),
});
export type Prediction = z.infer<typeof prediction>;

export const predictAnswer = z.object({
  /** One prediction per text, in the order of the texts. */
  predictions: z.array(prediction),
  /** Features (tokens) the texts were turned into, padding excluded. */
  inputTokens: z.int(),
  timings: z.object({ queueMs: z.number(), runMs: z.number() }),
});
export type PredictAnswer = z.infer<typeof predictAnswer>;

/** What the inference Worker tells of itself. */
export interface InferenceReport {
  readonly models: readonly { readonly name: string; readonly version: string; readonly loaded: boolean }[];
  /** WebAssembly linear memory of ONNX Runtime, bytes. 0 before the first model is loaded. */
  readonly wasmHeapBytes: number;
  readonly queued: number;
  /** Milliseconds it took to create the session and run it once; absent before it happened. */
  readonly loadMs?: number;
}

/** The inference Worker's RPC surface. Every expected failure is a value; a throw is a bug or a dead Worker. */
export interface InferenceService {
  predict(call: PredictCall): Promise<Result<PredictAnswer>>;
  /** Loads every model and runs it once, so that the first caller does not pay for it. */
  warm(): Promise<Result<InferenceReport>>;
  report(): Promise<InferenceReport>;
}
