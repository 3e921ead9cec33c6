import * as z from "zod/mini";

/**
 * The steps around a graph as `model.json` names them: data, not code, so that every tier does the same. Strict where a
 * member could change answers in silence. The steps themselves are in `@ledge/pipeline`.
 */

const tensorName = z.string().check(z.minLength(1), z.maxLength(256));
const path = z.string().check(z.minLength(1), z.maxLength(256));
const count = (max: number) => z.int().check(z.gte(1), z.lte(max));

/** Text to token ids by a Hugging Face `tokenizer.json`. Rows are padded to the longest of their batch. */
export const tokenizerStep = z.strictObject({
  kind: z.literal("tokenizer"),
  /** A file of the package. */
  tokenizer: path,
  /** `tokenizer_config.json`, a file of the package. */
  config: z.optional(path),
  /** Tokens kept of a text, special tokens included. */
  maxTokens: count(8192),
  padId: z.int().check(z.gte(0)),
  /** Whether the tokenizer's own special tokens ([CLS], [SEP]) are added. Default true. */
  specialTokens: z.optional(z.boolean()),
  /** Names of the graph's inputs. `mask` is 1 for a token and 0 for padding, `types` all 0. */
  inputs: z.strictObject({ ids: tensorName, mask: z.optional(tensorName), types: z.optional(tensorName) }),
});
export type TokenizerStep = z.infer<typeof tokenizerStep>;

/** The turns of a chat to one text by the template of a Hugging Face `tokenizer_config.json`, and that to token ids. */
export const chatTemplateStep = z.strictObject({
  kind: z.literal("chat-template"),
  /** Files of the package. */
  tokenizer: path,
  template: path,
});
export type ChatTemplateStep = z.infer<typeof chatTemplateStep>;

/** PNG or JPEG to a tensor `[channels, height, width]` (or `[height, width, channels]`) a row. */
export const imageStep = z.strictObject({
  kind: z.literal("image"),
  /** Height and width, pixels. */
  size: z.tuple([count(2048), count(2048)]),
  /** `stretch` ignores the aspect; `cover` keeps it and cuts the middle out. Bilinear. */
  resize: z.enum(["stretch", "cover"]),
  channels: z.union([z.literal(1), z.literal(3)]),
  layout: z.enum(["nchw", "nhwc"]),
  /** A value is `(byte × scale − mean) ÷ std`, per channel. */
  scale: z.number(),
  mean: z.array(z.number()).check(z.minLength(1), z.maxLength(3)),
  std: z.array(z.number().check(z.positive())).check(z.minLength(1), z.maxLength(3)),
});
export type ImageStep = z.infer<typeof imageStep>;

/** WAV (PCM or float, mixed to mono, resampled) to samples `[length]` or log-mel frames `[frames, bands]` a row. */
export const audioStep = z.strictObject({
  kind: z.literal("audio"),
  /** Hertz. */
  sampleRate: count(192_000),
  /** Samples kept; shorter sounds are padded with silence when `pad` says so. */
  samplesMax: count(30_000_000),
  pad: z.boolean(),
  features: z.union([
    z.strictObject({ kind: z.literal("raw") }),
    z.strictObject({
      kind: z.literal("log-mel"),
      /** Samples in a window and between two windows. */
      window: count(8192),
      hop: count(8192),
      bands: count(512),
      /** Hertz. */
      lowest: z.number().check(z.gte(0)),
      highest: z.number().check(z.positive()),
    }),
  ]),
});
export type AudioStep = z.infer<typeof audioStep>;

const labels = path;
const output = z.optional(tensorName);

/** Logits `[batch, classes]` to a softmax over labels. `output` defaults to the graph's first, here and below. */
export const softmaxLabels = z.strictObject({
  kind: z.literal("softmax-labels"),
  /** The file of the package that lists the labels, in the order of the logits. */
  labels,
  output,
  /** When the best score lies below `below`, the answer is `label` instead of the best label. */
  outOfScope: z.optional(
    z.strictObject({ label: z.string().check(z.minLength(1)), below: z.number().check(z.gte(0), z.lte(1)) }),
  ),
});
export type SoftmaxLabels = z.infer<typeof softmaxLabels>;

/** `[batch, dimensions]`, or token vectors `[batch, length, dimensions]` to be pooled, to one vector a row. */
export const embeddingStep = z.strictObject({
  kind: z.literal("embedding"),
  output,
  /** `mean` over the tokens of the mask, `first` token, or `none` when the graph pools. */
  pool: z.enum(["none", "mean", "first"]),
  /** To length 1. */
  normalise: z.boolean(),
  dimensions: count(65_536),
});
export type EmbeddingStep = z.infer<typeof embeddingStep>;

/** The `k` largest scores of `[batch, classes]` as they are: no softmax. */
export const topKStep = z.strictObject({
  kind: z.literal("top-k"),
  output,
  k: count(1000),
  labels: z.optional(labels),
});
export type TopKStep = z.infer<typeof topKStep>;

/** Several labels at once: every class of `[batch, classes]` whose sigmoid reaches `at`. */
export const thresholdStep = z.strictObject({
  kind: z.literal("threshold"),
  output,
  at: z.number().check(z.gte(0), z.lte(1)),
  labels,
});
export type ThresholdStep = z.infer<typeof thresholdStep>;
