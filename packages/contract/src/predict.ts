import * as z from "zod/mini";
import { modelName, modelVersion, sha256Hex } from "./manifest.ts";

/** Texts one call may carry. */
export const batchMax = 64;
/** UTF-16 code units in one text. */
export const textCharsMax = 8192;

const text = z.string().check(z.maxLength(textCharsMax));

/** Characters of a sound or picture in base64: 8 MiB of bytes. */
export const mediaCharsMax = 11_184_812;
const base64 = z.string().check(z.maxLength(mediaCharsMax), z.regex(/^[A-Za-z0-9+/]*={0,2}$/, "base64"));

/** One input of a model with preprocessing: a text, or a picture (PNG, JPEG) or sound (WAV) in base64. */
export const predictInput = z.union([text, z.strictObject({ image: base64 }), z.strictObject({ audio: base64 })]);
export type PredictInput = z.infer<typeof predictInput>;

/** `POST /v1/predict`. `model` is `name`, `name@version` or `name@alias`. */
export const predictRequest = z.strictObject({
  model: z.string().check(z.minLength(1), z.maxLength(128)),
  input: z.union([predictInput, z.array(predictInput).check(z.minLength(1), z.maxLength(batchMax))]),
  options: z.optional(
    z.strictObject({
      /** How many labels to return per input, best first. Default 5. */
      top_k: z.optional(z.int().check(z.gte(1), z.lte(1000))),
    }),
  ),
});
export type PredictRequest = z.infer<typeof predictRequest>;

/** A model version by its content: what a tier is asked to answer with. */
export const packageRef = z.strictObject({
  model: modelName,
  version: modelVersion,
  /** SHA-256 of the package's identity, hex: see `packageIdentity`. */
  digest: sha256Hex,
});
export type PackageRef = z.infer<typeof packageRef>;

/** Whose part of a tier's capacity a call takes when there is not enough for all. */
export const capacityShare = z.strictObject({
  /** A name that is the same for all calls of one tenant. */
  of: z.string().check(z.maxLength(128)),
  /** Twice the weight is twice the capacity. */
  weight: z.number().check(z.positive()),
});
export type CapacityShare = z.infer<typeof capacityShare>;

/** What a tier is asked: the same over RPC to the inference Worker and, as JSON, to the origin. */
export const predictCall = z.strictObject({
  ...packageRef.shape,
  inputs: z.array(predictInput).check(z.minLength(1), z.maxLength(batchMax)),
  topK: z.int().check(z.gte(1), z.lte(1000)),
  /** Whether raw logits are wanted beside the labels. */
  logits: z.boolean(),
  /** When nobody wants the answer any more, milliseconds since 1970: whoever still waits by then costs no run. */
  deadlineMs: z.optional(z.number()),
  share: z.optional(capacityShare),
});
export type PredictCall = z.infer<typeof predictCall>;

const scoredLabel = z.object({ label: z.string(), score: z.number() });

/** What a classifier says of one input. */
export const labelPrediction = z.object({
  label: z.string(),
  /** Probability of `label`, 0 to 1 (top-k: the score as the graph gave it). */
  score: z.number(),
  /** The best `topK` labels, best first; of a threshold model, those that reach it. */
  top: z.array(scoredLabel),
  logits: z.optional(z.array(z.number())),
});
export type LabelPrediction = z.infer<typeof labelPrediction>;

/** What an embedder says of one input. */
export const embeddingPrediction = z.object({ embedding: z.array(z.number()) });
export type EmbeddingPrediction = z.infer<typeof embeddingPrediction>;

export const prediction = z.union([labelPrediction, embeddingPrediction]);
/** One or the other; `embedding` or `label` tells which. */
export type Prediction =
  | (LabelPrediction & { readonly embedding?: undefined })
  | (EmbeddingPrediction & Readonly<Partial<Record<keyof LabelPrediction, undefined>>>);

/** Where a call's time went. Production holds clocks still while a Worker computes: 0 there means "not measured". */
export const runTimings = z.object({
  /** Milliseconds from arrival to the start of the batch. */
  queueMs: z.number(),
  /** Milliseconds of the steps before the graph. */
  prepareMs: z.number(),
  /** Milliseconds of the batch in the graph. */
  runMs: z.number(),
  /** Milliseconds of the steps after the graph. */
  shapeMs: z.number(),
  /** Rows in the largest batch this call was part of, its mates' included. */
  batchRows: z.int(),
  /** Runs of the graph that count for this call: of calls that shared one, the first says 1 and the others 0. */
  executions: z.int(),
});
export type RunTimings = z.infer<typeof runTimings>;

export const predictAnswer = z.object({
  /** One prediction per input, in the order of the inputs. */
  predictions: z.array(prediction),
  /** Features, tokens, pixels or samples the inputs were turned into, padding excluded. */
  inputTokens: z.int(),
  timings: runTimings,
});
export type PredictAnswer = Omit<z.infer<typeof predictAnswer>, "predictions"> & {
  readonly predictions: readonly Prediction[];
};
