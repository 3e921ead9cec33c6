import type { EmbeddingStep, ImageStep, SoftmaxLabels, TokenizerStep } from "@ledge/contract";
import type { GraphFacts, GraphValue } from "../inspect/read-graph.ts";
import { Refusal } from "../refusal.ts";

type Json = Readonly<Record<string, unknown>>;

export interface TokenizerFiles {
  readonly tokenizer: string;
  readonly config?: string;
}

/** The graph's inputs that take token ids, their mask and their types, by the names that exporters give them. */
export function tokenInputs({ inputs }: Pick<GraphFacts, "inputs">): TokenizerStep["inputs"] | undefined {
  const named = (pattern: RegExp) => inputs.find(({ name }) => pattern.test(name))?.name;
  const ids = named(/^(?:input_)?ids$/);
  const mask = named(/^(?:attention_|input_)?mask$/);
  const types = named(/^(?:token_type_ids|segment_ids)$/);
  if (ids === undefined) return undefined;
  return { ids, ...(mask === undefined ? {} : { mask }), ...(types === undefined ? {} : { types }) };
}

/** @param maxTokens what the user said; else the graph's own length, the tokenizer's, or 128. */
export function tokenizerStepOf(
  facts: Pick<GraphFacts, "inputs">,
  files: TokenizerFiles,
  tokenizer: Json,
  config: Json,
  maxTokens: number | undefined,
): TokenizerStep {
  const inputs = tokenInputs(facts);
  if (inputs === undefined) {
    throw new Refusal(
      `No input of the graph is called 'input_ids' or 'ids', so tokens have nowhere to go: give the step with --preprocess FILE.`,
    );
  }
  const length = facts.inputs.find(({ name }) => name === inputs.ids)?.shape[1] ?? -1;
  const stated = Number(config.model_max_length);
  const fallback = stated >= 1 && stated <= 8192 ? stated : 128;
  return {
    kind: "tokenizer",
    tokenizer: files.tokenizer,
    ...(files.config === undefined ? {} : { config: files.config }),
    maxTokens: maxTokens ?? (length > 0 ? length : fallback),
    padId: padIdOf(tokenizer, config),
    inputs,
  };
}

function padIdOf(tokenizer: Json, config: Json): number {
  const padding = tokenizer.padding as { pad_id?: unknown } | null | undefined;
  if (typeof padding?.pad_id === "number") return padding.pad_id;
  const token = typeof config.pad_token === "string" ? config.pad_token : undefined;
  const added = Array.isArray(tokenizer.added_tokens)
    ? (tokenizer.added_tokens as { id: number; content: string }[])
    : [];
  const found = added.find(({ content }) =>
    token === undefined ? /^(?:\[PAD\]|<pad>)$/.test(content) : content === token,
  );
  return found?.id ?? 0;
}

/** From a Hugging Face `preprocessor_config.json`; undefined when it or the graph does not say enough. */
export function imageStepOf({ inputs }: Pick<GraphFacts, "inputs">, config: Json): ImageStep | undefined {
  const shape = inputs[0]?.shape ?? [];
  const [, first = 0, second = 0, third = 0] = shape;
  const nchw = first === 3 || first === 1;
  const channels = nchw ? first : third;
  if (inputs.length !== 1 || shape.length !== 4 || (channels !== 1 && channels !== 3)) return undefined;
  const { height, width } = (config.size ?? {}) as { height?: number; width?: number };
  const size: [number, number] = nchw ? [second, third] : [first, second];
  if (size[0] < 1) size[0] = height ?? 0;
  if (size[1] < 1) size[1] = width ?? 0;
  const { image_mean: mean, image_std: std } = config;
  if (!isNumbers(mean) || !isNumbers(std) || size.some((side) => side < 1)) return undefined;
  return {
    kind: "image",
    size,
    resize: config.do_center_crop === true ? "cover" : "stretch",
    channels,
    layout: nchw ? "nchw" : "nhwc",
    scale: typeof config.rescale_factor === "number" ? config.rescale_factor : 1 / 255,
    mean,
    std,
  };
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "number");
}

export const labelsStepOf = (labels: string): SoftmaxLabels => ({ kind: "softmax-labels", labels });

/** Token vectors are averaged; a graph that gives one vector a row has pooled already. */
export function embeddingStepOf(outputs: readonly GraphValue[]): EmbeddingStep {
  const vector = outputs.find(({ shape }) => shape.length === 2) ?? outputs[0];
  const dimensions = vector?.shape.at(-1) ?? -1;
  if (vector === undefined || dimensions < 1 || vector.shape.length > 3) {
    throw new Refusal("The graph does not say how long its vectors are: give the step with --postprocess FILE.");
  }
  const pool = vector.shape.length === 3 ? "mean" : "none";
  const named = vector === outputs[0] ? {} : { output: vector.name };
  return { kind: "embedding", ...named, pool, normalise: true, dimensions };
}
